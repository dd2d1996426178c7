"""Which refused records can be sent again: chosen from the entries alone, before anything is opened.

Rules: the unit is the record, chosen when one of its events is; a record goes again once, ever; what was cut cannot; a
conflict goes only when asked for by name, for its id belongs to another event until the window has passed.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec

from tamis.domain.outcome import InvalidReason
from tamis.services.quarantine.entries import Stored, Wanted

WHOLE = frozenset(
    {
        InvalidReason.EMPTY, InvalidReason.NOT_UTF8, InvalidReason.TOO_LARGE, InvalidReason.TOO_MANY_EVENTS,
        InvalidReason.UNKNOWN_ENVELOPE,
    }
)  # fmt: skip
"""Reasons that, at ``$``, are only given to a record as a whole: nothing of it was accepted."""


class Skip(StrEnum):
    """Why a record is not sent again."""

    REPLAYED = "replayed before"
    CUT = "only its beginning was kept"
    CONFLICT = "conflict (ask for it with --reason conflict)"
    NO_ORIGINAL = "its original is not at hand"
    UNREADABLE = "cannot be opened: another key, or altered"
    REFUSED = "would be refused again (--all sends it nevertheless)"
    UNDATED = "an event in it states no time: it would be judged as if it had just happened"
    FORGOTTEN = "other events of the record may have been accepted before the dedupe window"


class Chosen(msgspec.Struct):
    """A record to send again.

    Attributes:
        key: of the quarantine record that holds the original.
        refused: indices of its events that were refused.
        whole: it was refused as a whole.
    """

    key: bytes
    refused: set[int]
    whole: bool


class Plan(msgspec.Struct):
    """What was chosen.

    Attributes:
        records: partition of the quarantine -> offset of the entry that holds the original -> what was chosen.
        skipped: why -> records.
    """

    records: dict[int, dict[int, Chosen]]
    skipped: Counter[Skip]

    def count(self) -> int:
        """Records chosen."""
        return sum(map(len, self.records.values()))


class _Known(msgspec.Struct):
    """A record of the source, as its entries have told so far."""

    holder: Stored
    refused: set[int]
    matched: bool = False


def choose(found: Iterable[Stored], wanted: Wanted, done: Collection[bytes]) -> Plan:
    """The plan.

    Args:
        found: all entries, in order within a partition.
        wanted: which events.
        done: keys of quarantine records whose originals were sent again before.
    """
    conflicts = InvalidReason.CONFLICT in wanted.fields.get("reason", ())
    plan = Plan({}, Counter())
    known: dict[tuple[str, int, int], _Known] = {}
    for stored in found:
        entry = stored.entry
        place = entry.topic, entry.partition, entry.offset
        if entry.sealed:
            known[place] = _Known(_lean(stored), {entry.index})
        elif place in known:
            known[place].refused.add(entry.index)
        if not wanted.accepts(stored):
            continue
        if entry.reason == InvalidReason.CONFLICT and not conflicts:
            plan.skipped[Skip.CONFLICT] += 1
        elif place not in known:
            plan.skipped[Skip.NO_ORIGINAL] += 1
        else:
            known[place].matched = True
    for each in known.values():
        if each.matched:
            _add(plan, each, done)
    return plan


def _lean(stored: Stored) -> Stored:
    """Without the ciphertext: many are kept at once."""
    return msgspec.structs.replace(stored, entry=msgspec.structs.replace(stored.entry, sealed="", sealed_headers=""))


def _add(plan: Plan, known: _Known, done: Collection[bytes]) -> None:
    holder, entry = known.holder, known.holder.entry
    if holder.key in done:
        plan.skipped[Skip.REPLAYED] += 1
    elif entry.truncated:
        plan.skipped[Skip.CUT] += 1
    else:
        whole = entry.stage == "decode" and entry.path == "$" and entry.reason in WHOLE
        chosen = Chosen(holder.key, known.refused, whole=whole)
        plan.records.setdefault(holder.partition, {})[holder.offset] = chosen
