"""Reads the counts of a whole system back: partial sums, windows, longer spans and what is still open must agree.

By outcome they must equal the ledger (``soundness``); by series, fate and facets each stage must equal the one before.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tamis.kafka.reader import read_topic
from tamis.metrics.counts import decode_counts
from tamis.metrics.rollups import SPANS
from tamis.records.metrics import Window, decode_closing, decode_partial, decode_rollup
from tamis.records.topics import Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tamis.records.metrics import Cell, WindowCell
    from tamis.settings import Settings

Group = tuple[str, ...]
"""Series, outcome, reason, stage, channel, device, producer."""


class FoundCounts(msgspec.Struct, kw_only=True):
    """What was counted, by group.

    Attributes:
        partial: in partial sums.
        closed: in closed windows.
        open: in open windows.
        spans: length -> in spans of that length that are over.
        open_spans: length -> in spans that are not.
        twice: windows and spans that were written more than once.
    """

    partial: Counter[Group] = msgspec.field(default_factory=Counter)
    closed: Counter[Group] = msgspec.field(default_factory=Counter)
    open: Counter[Group] = msgspec.field(default_factory=Counter)
    spans: dict[int, Counter[Group]] = msgspec.field(default_factory=lambda: {span: Counter() for span in SPANS})
    open_spans: dict[int, Counter[Group]] = msgspec.field(default_factory=lambda: {span: Counter() for span in SPANS})
    twice: int = 0

    def by_outcome(self, groups: Counter[Group]) -> Counter[str]:
        """Sums by outcome."""
        found: Counter[str] = Counter()
        for group, n in groups.items():
            found[group[1]] += n
        return found

    def apart(self) -> dict[str, int]:
        """Stage -> groups in which it differs from the one before; empty when all is well."""
        found = {"windows": _differ(self.partial, self.closed + self.open)}
        for number, span in enumerate(SPANS):
            still_open = sum((self.open_spans[each] for each in SPANS[: number + 1]), Counter[Group]())
            found[f"{span} min"] = _differ(self.closed, self.spans[span] + still_open)
        return {name: n for name, n in found.items() if n}


def read_counts(settings: Settings) -> FoundCounts:
    """Everything that was counted; workers must be idle."""
    found = FoundCounts()
    for record in read_topic(settings.kafka, settings.topic(Topic.METRICS_PARTIALS)):
        for cell in decode_partial(record.value or b"").cells:
            _add(found.partial, cell.series, (cell,))
    seen: Counter[tuple[object, ...]] = Counter()
    for record in read_topic(settings.kafka, settings.topic(Topic.METRICS_WINDOWS)):
        value = decode_closing(record.value or b"")
        seen[record.partition, value.minute, value.series, type(value)] += 1
        if isinstance(value, Window):
            _add(found.closed, value.series, value.cells)
    for record in read_topic(settings.kafka, settings.topic(Topic.METRICS_ROLLUPS)):
        rolled = decode_rollup(record.value or b"")
        seen[rolled.minutes, rolled.start, rolled.series] += 1
        _add(found.spans[rolled.minutes], rolled.series, rolled.cells)
    found.twice = sum(count > 1 for count in seen.values())
    _read_open(settings, found)
    return found


def _read_open(settings: Settings, found: FoundCounts) -> None:
    table: dict[bytes, bytes | None] = {}
    for record in read_topic(settings.kafka, settings.topic(Topic.METRICS_OPEN)):
        table[record.key or b""] = record.value
    for key, stored in table.items():
        _, kind, *rest = key.decode().split("\x00")
        if stored and kind == "c":
            _add(found.open, rest[0], decode_counts(stored).cells())
        elif stored and kind == "r":
            _add(found.open_spans[int(rest[1])], rest[0], decode_counts(stored).cells())


def _add(to: Counter[Group], series: str, cells: Iterable[Cell | WindowCell]) -> None:
    for cell in cells:
        to[series, cell.outcome, cell.reason, cell.stage, cell.channel, cell.device, cell.producer] += cell.n


def _differ(one: Counter[Group], other: Counter[Group]) -> int:
    return sum(one[group] != other[group] for group in one | other)
