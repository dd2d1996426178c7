"""What goes wrong at producers: broken bodies of several kinds, each made from a good one.

Rules: a kind names the reason the quarantine must give for it (a test checks each); bodies stay small.
"""

from collections.abc import Callable
from typing import Any

import orjson

from tamis.demo.traffic.bodies import rfc3339
from tamis.demo.traffic.dice import Dice
from tamis.domain.outcome import InvalidReason

_AHEAD_MS = 36 * 3_600_000
_DEPTH = 90

Call = dict[str, Any]


def _truncated(dice: Dice, call: Call, _at_ms: int) -> bytes:
    body = orjson.dumps(call)
    return body[: dice.randrange(20, len(body) - 1)]


def _latin1(_dice: Dice, call: Call, _at_ms: int) -> bytes:
    return orjson.dumps(call | {"note": "~"}).replace(b'"~"', '"caf\xe9"'.encode("latin-1"))


def _nameless(_dice: Dice, call: Call, _at_ms: int) -> bytes:
    return orjson.dumps(call | {"type": "track", "event": None})


def _object_as_id(_dice: Dice, call: Call, _at_ms: int) -> bytes:
    return orjson.dumps(call | {"userId": {"id": call["userId"]}})


def _local_time(_dice: Dice, call: Call, _at_ms: int) -> bytes:
    return orjson.dumps(call | {"timestamp": "26/11/2026 14:03", "originalTimestamp": "26/11/2026 14:03"})


def _from_the_future(_dice: Dice, call: Call, at_ms: int) -> bytes:
    ahead = rfc3339(at_ms + _AHEAD_MS)
    return orjson.dumps(call | {"timestamp": ahead, "originalTimestamp": ahead})


def _nested(_dice: Dice, call: Call, _at_ms: int) -> bytes:
    return orjson.dumps(call | {"properties": "~"}).replace(b'"~"', b'{"a":' * _DEPTH + b"1" + b"}" * _DEPTH)


def _foreign(dice: Dice, _call: Call, at_ms: int) -> bytes:
    return orjson.dumps({"kind": "heartbeat", "host": f"web-{dice.randrange(9)}", "at": at_ms})


def _nothing(_dice: Dice, _call: Call, _at_ms: int) -> bytes:
    return b""


KINDS: tuple[tuple[InvalidReason, Callable[[Dice, Call, int], bytes], float], ...] = (
    (InvalidReason.NOT_JSON, _truncated, 5.0),
    (InvalidReason.NOT_UTF8, _latin1, 1.0),
    (InvalidReason.MISSING_FIELD, _nameless, 3.0),
    (InvalidReason.WRONG_TYPE, _object_as_id, 2.0),
    (InvalidReason.BAD_TIME, _local_time, 2.0),
    (InvalidReason.FUTURE, _from_the_future, 1.0),
    (InvalidReason.TOO_DEEP, _nested, 0.5),
    (InvalidReason.UNKNOWN_ENVELOPE, _foreign, 1.0),
    (InvalidReason.EMPTY, _nothing, 0.5),
)


def broken(dice: Dice, call: Call, at_ms: int) -> bytes:
    """A broken body made from ``call``."""
    make = dice.weighted([(make, weight) for _, make, weight in KINDS])
    return make(dice, call, at_ms)
