"""Events of a batch that consent is not asked about: invalid ones, and repeats.

Rules: each gets its leaf, which states no facts of anybody and commits to the event under the day's key, and its count;
what somebody must look at is quarantined as well. A duplicate is not.
Not handled here: why an event is refused (``envelopes``, ``domain.validate``, ``domain.validation``), what a repeat is
(``domain.sightings``).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Final

from tamis.domain.audit.leaf import LeafFrame
from tamis.domain.counts.counting import EventCounts
from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import Outcome
from tamis.domain.plan import Plan
from tamis.domain.producer import UNKNOWN
from tamis.domain.quarantine import Fault
from tamis.domain.refused import RefusedEvents, SourceRecord
from tamis.domain.sightings import Repeat, Sighted
from tamis.domain.standing import NO_DESTINATIONS, facts_of_nobody
from tamis.domain.tally import Tally

_RULE: Final = '"rev":{},"rule":"-"'
_INVALID: Final = facts_of_nobody(Outcome.INVALID.value)
_REPEATED: Final = {repeat: facts_of_nobody(repeat.value) for repeat in Repeat}

Case = tuple[int, int, int, int, int, bytes, Event]
"""An event to decide: place among the leaves, offset, index, received_at, occurred_at, committed bytes, event."""
Repeated = tuple[Case, bytes, Repeat]
"""An event, its keyed id, and what its repetition means."""


class Undecided:
    """Those of one batch.

    Args:
        refused: makes quarantine entries.
        frame: of the batch's leaves.
        day_commitment: time of receipt (ms) -> commitment function of that day.
        seq: index of the batch's first leaf in the tree.
        leaves: of the batch; written to.
        tally: of the batch; added to.
        counts: counts into it.
    """

    __slots__ = ("_commitment", "_counts", "_frame", "_leaves", "_refused", "_seq", "_tally")

    def __init__(
        self,
        refused: RefusedEvents,
        frame: LeafFrame,
        day_commitment: Callable[[int], Callable[[bytes], str]],
        seq: int,
        leaves: list[bytes],
        tally: Tally,
        counts: EventCounts,
    ) -> None:
        self._refused = refused
        self._frame = frame
        self._commitment = day_commitment
        self._seq = seq
        self._leaves = leaves
        self._tally = tally
        self._counts = counts

    def refuse(
        self, record: SourceRecord, index: int, committed: bytes, stage: str, why: Invalid, times: tuple[int, int],
        event: Event | None = None,
    ) -> None:  # fmt: skip
        """An event that is none, or of the future: the next leaf is its.

        Args:
            record: where it stands.
            index: its place there.
            committed: the bytes the leaf commits to.
            stage: where it was refused.
            why: reason and path.
            times: of the event and of its receipt, ms.
            event: as far as it was decoded.
        """
        origin = None if event is None else self._refused.origin(event)
        origin = self._refused.add(record, index, stage, why, times[1], origin)
        leaf = self._frame.leaf(
            times[0], self._commitment(times[1])(committed), NO_DESTINATIONS, "", _INVALID, _RULE,
            self._seq + len(self._leaves), index, record.offset, times[1], why.reason,
        )  # fmt: skip
        self._leaves.append(leaf)
        self._counts.refused(self._tally, times[1], why.reason, origin.producer)

    def repeated(self, case: Case, tag: bytes, repeat: Repeat, records: Sequence[SourceRecord]) -> None:
        """A repeat: a duplicate is not sent on; a conflict is quarantined with its record's original.

        Args:
            case: the event.
            tag: its keyed id.
            repeat: which of both it is.
            records: of the batch.
        """
        place, offset, index, now, occurred_at, committed, event = case
        why, producer = repeat.value, UNKNOWN
        if repeat is Repeat.CONFLICT:
            origin = self._refused.origin(event)
            producer = origin.producer
            self._refused.add(record_at(records, offset), index, "dedupe", Invalid(why), now, origin)
        self._leaves[place] = self._frame.leaf(
            occurred_at, self._commitment(now)(committed), NO_DESTINATIONS, tag.hex(), _REPEATED[repeat], _RULE,
            self._seq + place, index, offset, now, why,
        )  # fmt: skip
        self._counts.repeated(self._tally, event, now, why, producer)

    def violates(
        self,
        case: Case,
        plan: Plan,
        rule: str,
        why: Invalid,
        faults: tuple[Fault, ...],
        records: Sequence[SourceRecord],
    ) -> None:
        """An event with an error by its rule is quarantined and counted; its leaf is written as that of any other.

        Args:
            case: the event.
            plan: that of its rule.
            rule: id of the rule it violates, "" for none.
            why: the first error.
            faults: everything wrong with it.
            records: of the batch.
        """
        origin = self._refused.origin(case[-1], rule, faults)
        self._refused.add(record_at(records, case[1]), case[2], "validate", why, case[3], origin)
        self._counts.violated(self._tally, case[-1], plan, case[3], why.reason, origin.producer)


def record_at(records: Sequence[SourceRecord], offset: int) -> SourceRecord:
    """The record at an offset of the batch."""
    return records[bisect_left(records, offset, key=lambda each: each.offset)]


def sort_out(
    sighted: Sighted, cases: list[Case], tags: list[bytes], fingerprints: Callable[[Iterable[Event]], list[bytes]]
) -> tuple[list[Case], list[bytes], list[Repeated]]:
    """The events that were not seen before, their keyed ids, and the repeats.

    Args:
        sighted: what was seen before.
        cases: events in order of receipt.
        tags: their keyed ids.
        fingerprints: what events say.
    """
    found = sighted.classify(tags, fingerprints([case[-1] for case in cases]), [case[3] for case in cases])
    if not any(found):
        return cases, tags, []
    first = [repeat is None for repeat in found]
    repeats = [(case, tag, repeat) for case, tag, repeat in zip(cases, tags, found, strict=True) if repeat is not None]
    return list(compress(cases, first)), list(compress(tags, first)), repeats
