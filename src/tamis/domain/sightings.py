"""Which events of a raw partition were seen before: duplicates and conflicts.

Rules: an event is known by its id (16 keyed bytes) and its fingerprint (8 keyed bytes of what it says, without what
changes when it is sent again). The same id with the same fingerprint within the window is a duplicate, with another one
a conflict; the first sighting counts, and only events that are not quarantined are remembered. The answer follows from
what was committed before the batch and from the events before this one in it, so a batch that is done again after a
crash gives the same answers. The window is measured in whole minutes of ``received_at`` from the first sighting.
Not handled here: keeping sightings between batches (``ports.Sightings``), other partitions (the idempotency key of a
destination covers those).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from hashlib import sha256

import orjson

from tamis.domain.event import Event

ID_BYTES = 16
FINGERPRINT_BYTES = 8
ENTRY_BYTES = ID_BYTES + FINGERPRINT_BYTES
MINUTE_MS = 60_000

_SENT_AT_KEY = b'"sentAt"'
_BEFORE_TIME = len(_SENT_AT_KEY) + 2
_SENT_AT = re.compile(rb'"sentAt"\s*:\s*"[^"\\]*"\s*(,\s*)?')
# Members of a context that the way to us writes, not the person.
_TRANSPORT = frozenset({"ip", "sentAt", "sent_at", "receivedAt", "received_at"})
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class Repeat(Enum):
    """What an id that was seen before means."""

    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Sighted:
    """The sightings of one batch, on top of what was committed before it.

    Args:
        find: what was committed (``ports.Sightings.find``).

    Attributes:
        fresh: minute of ``received_at`` -> entries first seen in this batch (id and fingerprint, 24 bytes each).
    """

    __slots__ = ("_batch", "_find", "fresh")

    def __init__(self, find: Callable[[bytes, int], Mapping[int, bytes]]) -> None:
        self._find = find
        self._batch: dict[bytes, bytes] = {}
        self.fresh: dict[int, list[bytes]] = {}

    def classify(
        self, ids: Sequence[bytes], fingerprints: Sequence[bytes], times: Sequence[int]
    ) -> list[Repeat | None]:
        """What each event is; None for one seen for the first time, which is remembered.

        Args:
            ids: 16 bytes each.
            fingerprints: 8 bytes each.
            times: ``received_at``, ms, never falling.
        """
        if not ids:
            return []
        earlier = self._find(b"".join(ids), times[0] // MINUTE_MS)
        batch, fresh = self._batch, self.fresh
        found: list[Repeat | None] = []
        for number, id_ in enumerate(ids):
            fingerprint = fingerprints[number]
            before = batch.get(id_)
            if before is None and earlier:
                before = earlier.get(number)
            if before is None:
                batch[id_] = fingerprint
                fresh.setdefault(times[number] // MINUTE_MS, []).append(id_ + fingerprint)
                found.append(None)
            else:
                found.append(Repeat.DUPLICATE if before == fingerprint else Repeat.CONFLICT)
        return found


def fingerprints(key: bytes) -> Callable[[Event], bytes]:
    """The fingerprint of an event as a function: 8 bytes of SHA-256 over a secret block and what the event says.

    What it says are its own bytes without ``sentAt`` where the envelope kept them (``Event.content``), else its fields
    in a canonical form. Cut to 8 bytes under a secret prefix it can neither be computed nor extended without the key.

    Args:
        key: 32 bytes.
    """
    keyed = sha256(key.ljust(64, b"\0")).copy

    def fingerprint(event: Event) -> bytes:
        digest = keyed()
        digest.update(canonical(event))
        return digest.digest()[:FINGERPRINT_BYTES]

    return fingerprint


def canonical(event: Event) -> bytes:
    """What an event says, equal for each time it is sent."""
    content = event.content
    if content is not None:
        at = content.find(_SENT_AT_KEY)
        if at < 0:
            return content
        end = content.find(b'"', at + _BEFORE_TIME)
        written = content[at + len(_SENT_AT_KEY) : at + _BEFORE_TIME] == b':"' and content[end : end + 3] == b'","'
        if written and b"\\" not in content[at:end]:  # as most clients write it: no need of the pattern
            return content[:at] + content[end + 2 :]
        found = _SENT_AT.match(content, at)
        if found is None:
            return content
        before = content[:at].rstrip()
        if found[1] is None and before.endswith(b","):  # it was the last member
            before = before[:-1]
        return before + content[found.end() :]
    context = {key: value for key, value in event.context.items() if key not in _TRANSPORT}
    said = (event.kind, event.name, event.occurred_at, event.anonymous_id, event.user_id, event.properties, context)
    try:
        return orjson.dumps(said, option=_SORTED)
    except TypeError:  # an integer beyond 64 bits or a lone surrogate
        return repr(said).encode("utf-8", "backslashreplace")
