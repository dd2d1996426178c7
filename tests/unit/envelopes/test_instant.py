"""RFC 3339 texts to milliseconds."""

import pytest

from tamis.envelopes import instant

MOMENT = 1_795_319_504_084


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T03:51:44.084Z",
        "2026-11-22T03:51:44.084z",
        "2026-11-22t03:51:44.084Z",
        "2026-11-22 03:51:44.084Z",
        "2026-11-22T03:51:44.084+00:00",
        "2026-11-22T03:51:44.084-00:00",
        "2026-11-22T09:21:44.084+05:30",
        "2026-11-22T09:21:44.084+0530",
        "2026-11-21T19:51:44.084-08:00",
        "2026-11-22T03:51:44.084999Z",
        "2026-11-22T03:51:44.084000000Z",
        "2026-11-22T03:51:44,084Z",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    assert instant.parse(text) == MOMENT
    assert instant.parse(text) == MOMENT  # remembered


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-22T03:51:44Z", MOMENT - 84),
        ("2026-11-22T03:51:44.1Z", MOMENT + 16),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2024-02-29T12:00:00Z", 1_709_208_000_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_known_moments(text: str, expected: int) -> None:
    assert instant.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-11-22", "2026-11-22T03:51:44", "2026-11-22T03:51:44.084", "2026-11-22T03:51Z",
        "20261122T035144Z",
        "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T03:60:00Z", "2026-11-22T03:51:61Z",
        "2026-11-22T03:51:44.Z", "2026-11-22T03:51:44.084Z ", " 2026-11-22T03:51:44.084Z", "2026-11-22T03:51:44.0 4Z",
        "2026-11-22T03:51:44.+84Z", "٢٠٢٦-11-22T03:51:44.084Z", "2026-11-22T03:51:44.084+25:00:00",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00",
        "1795319504084", "2026-11-22T03:51:44.084Z\n",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert instant.parse(text) is None


def test_the_memo_is_bounded_and_right_after_it_was_cleared() -> None:
    for second in range(10_000):
        day, clock = divmod(second, 86_400)
        hours, rest = divmod(clock, 3_600)
        text = f"2026-01-{day + 1:02d}T{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.500Z"
        assert instant.parse(text) == 1_767_225_600_500 + second * 1000
    assert len(instant._seconds) <= 8192
