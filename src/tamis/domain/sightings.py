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
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from itertools import compress
from operator import add, eq, not_

import orjson

from tamis.domain.event import Event

ID_BYTES = 16
FINGERPRINT_BYTES = 8
ENTRY_BYTES = ID_BYTES + FINGERPRINT_BYTES
MINUTE_MS = 60_000

_SENT_AT = b'"sentAt":"'
_BEFORE_TIME = len(_SENT_AT)
_BACKSLASH = ord("\\")
_SENT_AT_MEMBER = re.compile(rb'"sentAt"\s*:\s*"[^"\\]*"\s*(,\s*)?')
# Members of a context that the way to us writes, not the person.
_TRANSPORT = frozenset({"ip", "sentAt", "sent_at", "receivedAt", "received_at", "userAgent"})
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

    __slots__ = ("_batch", "_find", "_said", "fresh")

    def __init__(self, find: Callable[[bytes, int], Mapping[int, bytes]]) -> None:
        self._find = find
        self._batch: dict[bytes, int] = {}  # id -> place of its fingerprint in ``_said``
        self._said: list[bytes] = []
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
        batch, said = self._batch, self._said
        for place, before in self._find(b"".join(ids), times[0] // MINUTE_MS).items():
            batch.setdefault(ids[place], len(said))
            said.append(before)
        numbers = range(len(said), len(said) + len(ids))
        said += fingerprints
        known = list(map(batch.setdefault, ids, numbers))
        first = list(map(eq, known, numbers))
        self._remember(ids, fingerprints, times, first)
        found: list[Repeat | None] = [None] * len(ids)
        for place in compress(range(len(ids)), map(not_, first)):
            same = said[known[place]] == fingerprints[place]
            found[place] = Repeat.DUPLICATE if same else Repeat.CONFLICT
        return found

    def forget(self, ids: Iterable[bytes]) -> None:
        """Events that were quarantined after they were classified: they may come again."""
        gone = set(ids)
        for id_ in gone:
            self._batch.pop(id_, None)
        for minute, entries in self.fresh.items():
            self.fresh[minute] = [entry for entry in entries if entry[:ID_BYTES] not in gone]
        self.fresh = {minute: entries for minute, entries in self.fresh.items() if entries}

    def _remember(
        self, ids: Sequence[bytes], fingerprints: Sequence[bytes], times: Sequence[int], first: Sequence[bool]
    ) -> None:
        entries = list(map(add, compress(ids, first), compress(fingerprints, first)))
        minute = times[0] // MINUTE_MS
        if entries and times[-1] // MINUTE_MS == minute:
            self.fresh.setdefault(minute, []).extend(entries)
            return
        for time, entry in zip(compress(times, first), entries, strict=True):
            self.fresh.setdefault(time // MINUTE_MS, []).append(entry)


def fingerprints(key: bytes) -> Callable[[Iterable[Event]], list[bytes]]:
    """The fingerprints of events as a function: 8 bytes of SHA-256 over a secret block and what each event says.

    What it says are its own bytes without ``sentAt`` where the envelope kept them (``Event.content``), else its fields
    in a canonical form. Cut to 8 bytes under a secret prefix it can neither be computed nor extended without the key.

    Args:
        key: 32 bytes.
    """
    keyed = sha256(key.ljust(64, b"\0")).copy

    def found(events: Iterable[Event]) -> list[bytes]:
        made: list[bytes] = []
        for event in events:
            digest, content = keyed(), event.content
            at = -1 if content is None else content.find(_SENT_AT)
            if content is None or at < 0:
                digest.update(canonical(event))
            else:
                end = content.find(b'"', at + _BEFORE_TIME)
                if content[end : end + 3] != b'","' or content[end - 1] == _BACKSLASH:
                    digest.update(canonical(event))
                else:  # as most clients write it: no need of the pattern
                    digest.update(content[:at])
                    digest.update(content[end + 2 :])
            made.append(digest.digest()[:FINGERPRINT_BYTES])
        return made

    return found


def canonical(event: Event) -> bytes:
    """What an event says, equal for each time it is sent."""
    content = event.content
    if content is not None:
        found = _SENT_AT_MEMBER.search(content)
        if found is None:
            return content
        before = content[: found.start()].rstrip()
        if found[1] is None and before.endswith(b","):  # it was the last member
            before = before[:-1]
        return before + content[found.end() :]
    context = {key: value for key, value in event.context.items() if key not in _TRANSPORT}
    said_at = None if event.occurred_at is None else event.occurred_at + event.set_back
    said = (event.kind, event.name, said_at, event.anonymous_id, event.user_id, event.properties, context)
    try:
        return orjson.dumps(said, option=_SORTED)
    except TypeError:  # an integer beyond 64 bits or a lone surrogate
        return repr(said).encode("utf-8", "backslashreplace")
