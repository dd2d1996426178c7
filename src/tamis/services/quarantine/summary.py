"""What is in quarantine by producer, reason, site or rule: the view a sender needs of what is wrong with its events.

Rules: counts and places only; memory grows with the groups, which are words of closed sets or of the configuration.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tamis.domain.quarantine import day_of
from tamis.services.quarantine.entries import FIELDS, Stored

BY = (*FIELDS, "path", "day", "partition")
_EXAMPLES = 2


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that agree in what was asked for.

    Attributes:
        values: of the fields asked for, in that order.
        entries: how many.
        records: how many records of the source they come from.
        size_bytes: bytes of those records' originals.
        first, last: received at, ms.
        reasons: reason and path -> entries, the most frequent first.
        examples: some source positions, the last ones.
    """

    values: tuple[str, ...]
    entries: int
    records: int
    size_bytes: int
    first: int
    last: int
    reasons: dict[str, int]
    examples: tuple[str, ...]


class _Sum:
    def __init__(self) -> None:
        self.entries = self.records = self.size_bytes = 0
        self.first, self.last = 1 << 62, 0
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []

    def add(self, stored: Stored) -> None:
        entry = stored.entry
        self.entries += 1
        if entry.sealed:
            self.records += 1
            self.size_bytes += entry.size
        self.first, self.last = min(self.first, entry.received_at), max(self.last, entry.received_at)
        self.reasons[f"{entry.reason} at {entry.path}"] += 1
        self.examples = [*self.examples[1 - _EXAMPLES :], str(stored.position)]

    def group(self, values: tuple[str, ...]) -> Group:
        return Group(
            values=values, entries=self.entries, records=self.records, size_bytes=self.size_bytes, first=self.first,
            last=self.last, reasons=dict(self.reasons.most_common()), examples=tuple(self.examples),
        )  # fmt: skip


def summarise(found: Iterable[Stored], by: Sequence[str]) -> list[Group]:
    """Groups by some of ``BY``, the largest first."""
    sums: dict[tuple[str, ...], _Sum] = {}
    for stored in found:
        sums.setdefault(tuple(_value(stored, name) for name in by), _Sum()).add(stored)
    groups = [each.group(values) for values, each in sums.items()]
    return sorted(groups, key=lambda each: (-each.entries, each.values))


def _value(stored: Stored, name: str) -> str:
    if name == "day":
        return day_of(stored.entry.received_at)
    if name == "partition":
        return str(stored.entry.partition)
    return stored.entry.path if name == "path" else stored.field(name)
