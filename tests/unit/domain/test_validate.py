"""Events from the future."""

import msgspec
import pytest

from tamis.domain.event import Event, Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.domain.validate import MAX_AHEAD_MS, check_time

NOW = 1_795_319_504_084
EVENT = Event("e", Kind.TRACK, "x", NOW, None, "d", None, {}, {}, None, "segment")


@pytest.mark.parametrize("occurred_at", [None, 0, NOW - 1, NOW, NOW + MAX_AHEAD_MS])
def test_past_present_and_skew_pass(occurred_at: int | None) -> None:
    assert check_time(msgspec.structs.replace(EVENT, occurred_at=occurred_at), NOW) is None


def test_beyond_the_skew_is_refused() -> None:
    late = msgspec.structs.replace(EVENT, occurred_at=NOW + MAX_AHEAD_MS + 1)
    assert check_time(late, NOW) == Invalid(InvalidReason.FUTURE, "$.timestamp")
