"""Which channels a stream gets, and what it refuses to go on from."""

from __future__ import annotations

import msgspec
import pytest

from tamis.anomaly.stream_detector import StreamDetector

MINUTE = 60


def _channels(detector: StreamDetector) -> list[bool]:
    return [channel is not None for channel in msgspec.msgpack.decode(detector.encode())[3:8]]


def test_channels_exist_once_they_are_needed() -> None:
    counts, whole, any_, rates = (StreamDetector(60), StreamDetector(60, judge_upstream=False), StreamDetector(300),
                                  StreamDetector(60))  # fmt: skip
    assert _channels(counts) == [False] * 5
    counts.observe(0, 5.0, 9.0)
    whole.observe(0, 5.0, 9.0)
    any_.observe(0, 5.0)
    rates.observe(0, 5.0)
    rates.observe(60, 0.25)
    assert _channels(counts) == [True, True, True, False, False]
    assert _channels(whole) == [True, False, True, False, False]
    assert _channels(any_) == [False, False, False, True, False]
    assert _channels(rates) == [False, False, False, True, True]


def test_a_missing_value_is_no_news() -> None:
    detector = StreamDetector(60)
    assert detector.observe(0, None).score == 0.0
    assert not detector.observe(60, None).alert


def test_another_upstream_step_begins_anew() -> None:
    detector = StreamDetector(60, judge_upstream=False)
    detector.observe(0, 5.0, 9.0)
    detector.forget_upstream()
    assert not detector.has_upstream


def test_states_of_another_version_or_interval_are_refused() -> None:
    state = msgspec.msgpack.decode(StreamDetector(60).encode())
    with pytest.raises(ValueError, match="version 9"):
        StreamDetector(60).restore(msgspec.msgpack.encode([9, *state[1:]]))
    with pytest.raises(ValueError, match="300 s"):
        StreamDetector(300).restore(StreamDetector(60).encode())
    with pytest.raises(msgspec.DecodeError):
        StreamDetector(60).restore(b"\x93\x01\x02\x03")
