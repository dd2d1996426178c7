"""Quarantine entries: sealed, reproducible, bound to their position, cut when large."""

import base64
from typing import Any

import msgspec
import pytest

from tamis.domain.quarantine import (
    MAX_HEADERS_BYTES,
    MAX_SEALED_BYTES,
    NONCE_BYTES,
    PREFIX_BYTES,
    QuarantineEntry,
    QuarantineSealer,
    day_of,
    open_entry,
    open_headers,
)

DAY = 86_400_000


def key_for_day(day: str) -> bytes:
    return day.encode().ljust(32, b".")


def sealer() -> QuarantineSealer:
    return QuarantineSealer(key_for_day, b"p" * 32)


def make(original: bytes = b'{"email":"ada@example.com"}', **changed: Any) -> tuple[bytes, QuarantineEntry]:
    where: dict[str, Any] = {
        "stage": "decode", "reason": "not_json", "path": "$", "message": "the record is not JSON",
        "topic": "events.raw", "partition": 3, "offset": 41, "index": 0, "received_at": DAY * 2 + 5,
    } | changed  # fmt: skip
    key, value = sealer().entry(original=original, **where)
    return key, msgspec.json.decode(value, type=QuarantineEntry)


def test_the_original_comes_back_with_the_days_key() -> None:
    _, entry = make()
    assert entry.key_id == "quarantine/1970-01-03"
    assert open_entry(entry, key_for_day("1970-01-03")) == b'{"email":"ada@example.com"}'


def test_nothing_of_the_original_is_readable() -> None:
    key, entry = make()
    text = msgspec.json.encode(entry) + key + base64.b64decode(entry.sealed)
    assert b"ada" not in text
    assert b"example" not in text


def test_another_days_key_opens_nothing() -> None:
    _, entry = make()
    assert open_entry(entry, key_for_day("1970-01-04")) is None


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 42},
        {"partition": 4},
        {"index": 1},
        {"topic": "x"},
        {"key_id": "quarantine/1970-01-04"},
        {"sealed": "!"},
    ],
)
def test_a_moved_or_altered_entry_does_not_open(change: dict[str, Any]) -> None:
    _, entry = make()
    assert open_entry(msgspec.structs.replace(entry, **change), key_for_day("1970-01-03")) is None


def test_equal_input_gives_equal_bytes() -> None:
    assert make() == make()


def test_the_same_position_with_other_bytes_uses_another_nonce() -> None:
    nonces = {base64.b64decode(make(original)[1].sealed)[:NONCE_BYTES] for original in (b"a", b"b", b"ab", b"")}
    assert len(nonces) == 4


def test_record_keys_differ_by_position_and_are_keyed() -> None:
    keys = {make(offset=offset, index=index)[0] for offset in (1, 2) for index in (0, 1)}
    assert len(keys) == 4
    other, _ = QuarantineSealer(key_for_day, b"q" * 32).entry(
        stage="decode", reason="r", path="$", message="m", topic="events.raw", partition=3, offset=1, index=0,
        received_at=0, original=b"",
    )  # fmt: skip
    assert other not in keys


def test_a_large_original_keeps_a_prefix_and_its_length() -> None:
    original = bytes(range(256)) * 1024 + b"x"
    assert len(original) == MAX_SEALED_BYTES + 1
    _, entry = make(original)
    assert (entry.truncated, entry.size) == (True, len(original))
    assert open_entry(entry, key_for_day("1970-01-03")) == original[:PREFIX_BYTES]


def test_the_limit_itself_is_kept_whole() -> None:
    _, entry = make(b"y" * MAX_SEALED_BYTES)
    assert not entry.truncated
    assert open_entry(entry, key_for_day("1970-01-03")) == b"y" * MAX_SEALED_BYTES


@pytest.mark.parametrize(
    ("timestamp", "day"), [(-1, "1970-01-01"), (1 << 62, "9999-12-31"), (951_782_400_000, "2000-02-29")]
)
def test_any_timestamp_has_a_day(timestamp: int, day: str) -> None:
    assert day_of(timestamp) == day


def test_many_days_are_served_by_one_sealer() -> None:
    one = sealer()
    for number in range(30):
        at = number * DAY
        _, value = one.entry(
            stage="validate", reason="bad_time", path="$.timestamp", message="m", topic="t", partition=0, offset=number,
            index=0, received_at=at, original=b"z",
        )  # fmt: skip
        assert open_entry(msgspec.json.decode(value, type=QuarantineEntry), key_for_day(day_of(at))) == b"z"


def test_an_original_that_another_entry_keeps_is_not_kept_again() -> None:
    _, entry = make(b"x" * (MAX_SEALED_BYTES + 1), index=1, kept_before=True)
    assert (entry.sealed, entry.truncated, entry.size) == ("", False, MAX_SEALED_BYTES + 1)
    assert open_entry(entry, key_for_day("1970-01-03")) is None


def test_headers_come_back_and_are_as_unreadable() -> None:
    headers = (("endpoint", b"https://t.example.test/?uid=ada"), ("Sec-GPC", b"1"), ("empty", None), ("odd", b"\xff\0"))
    _, entry = make(headers=headers)
    assert b"endpoint" not in msgspec.json.encode(entry) + base64.b64decode(entry.sealed_headers)
    assert open_headers(entry, key_for_day("1970-01-03")) == headers
    assert open_headers(entry, key_for_day("1970-01-04")) is None
    assert open_entry(entry, key_for_day("1970-01-03")) == b'{"email":"ada@example.com"}'


def test_headers_cannot_be_taken_for_an_original_or_moved() -> None:
    _, entry = make(headers=(("a", b"b"),))
    key = key_for_day("1970-01-03")
    assert open_entry(msgspec.structs.replace(entry, sealed=entry.sealed_headers), key) is None
    assert open_headers(msgspec.structs.replace(entry, sealed_headers=entry.sealed), key) is None
    assert open_headers(msgspec.structs.replace(entry, index=1), key) is None


@pytest.mark.parametrize("headers", [(), (("a", b"x" * MAX_HEADERS_BYTES),)])
def test_no_headers_or_too_many_are_none(headers: tuple[tuple[str, bytes], ...]) -> None:
    _, entry = make(headers=headers)
    assert (entry.sealed_headers, open_headers(entry, key_for_day("1970-01-03"))) == ("", ())


def test_a_further_entry_of_the_record_keeps_no_headers() -> None:
    _, entry = make(headers=(("a", b"b"),), kept_before=True)
    assert (entry.sealed, entry.sealed_headers) == ("", "")
