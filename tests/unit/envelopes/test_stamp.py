"""Times as numbers and texts, exact to the microsecond."""

from typing import Any

import pytest

from tamis.envelopes import stamp


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        (0, 0), (1.5, 1_500), (1_739_692_800_123, 1_739_692_800_123_000), (True, None), (-1, None), (10**30, None),
        (float("nan"), None), (float("inf"), None), ("5", None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_millis(value: Any, micros: int | None) -> None:
    assert stamp.millis(value) == micros


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        (1_795_319_606.965, 1_795_319_606_965_000), (1_795_319_174.4024148, 1_795_319_174_402_414),
        (99_999_999_999, 99_999_999_999_000_000), (100_000_000_000, 100_000_000_000_000), (True, None),
    ],
)  # fmt: skip
def test_seconds_or_millis(value: Any, micros: int | None) -> None:
    assert stamp.seconds_or_millis(value) == micros


@pytest.mark.parametrize(
    ("value", "micros"),
    [("17", 17_000_000), ("1.25", 1_250_000), ("-1", None), ("1e3", None), ("", None), ("\u0661", None), (5, None)],
)
def test_digits(value: Any, micros: int | None) -> None:
    assert stamp.digits(value, stamp.SECOND) == micros


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000), ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T00:00:01.123456789Z", 1_123_456), ("1970-01-01T01:00:01.0001+01:00", 1_000_100),
        ("1970-01-01T00:00:01", None), (5, None), ("", None),
    ],
)  # fmt: skip
def test_text(value: Any, micros: int | None) -> None:
    assert stamp.text(value) == micros


def test_a_zone_may_be_missing_where_the_vendor_says_utc() -> None:
    assert stamp.utc_text("1970-01-01 00:00:01.25") == 1_250_000
    assert stamp.utc_text("1970-01-01T01:00:01+01:00") == 1_000_000
    assert stamp.utc_text("1970-01-01") is None
    assert stamp.utc_text(None) is None
