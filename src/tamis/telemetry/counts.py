"""What a batch's events are counted by, as series.

Rules: as ``telemetry.intake``; a label whose values are not a closed set shows the most frequent ones, the others are
``other``, and what was counted so is counted again (``tamis_label_capped_total``).
"""

from collections import Counter
from collections.abc import Mapping

from tamis.domain.counts.top import TopValues
from tamis.domain.outcome import Outcome
from tamis.domain.tally import Tally
from tamis.telemetry import counts_series as series
from tamis.telemetry.series import OTHER, Family, Shelf

MOST_LABEL_VALUES = 100
_ACCEPTED = Outcome.ACCEPTED.value
_QUARANTINED = frozenset({Outcome.INVALID.value, Outcome.CONFLICT.value})


class CappedLabel:
    """The most frequent values of one label.

    Args:
        shelf: the process's series.
        name: of the label.
        families: that have it.
        most: values at a time.
    """

    __slots__ = ("_capped", "_families", "_name", "_top")

    def __init__(self, shelf: Shelf, name: str, families: tuple[Family, ...], most: int) -> None:
        self._capped = shelf[series.LABEL_CAPPED].of(name)
        self._name = name
        self._families = families
        self._top = TopValues(most)

    def shown(self, value: str, n: int) -> str:
        """What stands for ``value``, seen ``n`` times."""
        gone = self._top.saw(value, n)
        if gone is not None:
            for family in self._families:
                family.forget(self._name, gone)
        if value in self._top:
            return value
        self._capped.inc(n)
        return OTHER


class CountsTelemetry:
    """Part of the intake role.

    Args:
        shelf: the process's series.
        most: values of a label at a time.
    """

    def __init__(self, shelf: Shelf, most: int = MOST_LABEL_VALUES) -> None:
        self._by = tuple(shelf[each] for each in (series.STAGE_EVENTS, series.CHANNEL_EVENTS, series.DEVICE_EVENTS))
        self._value = shelf[series.RULE_VALUE]
        self._quarantined = shelf[series.PRODUCER_QUARANTINED]
        self._sent = shelf[series.SENT]
        self._producers = CappedLabel(shelf, "producer", (self._quarantined,), most)

    def counted(self, tally: Tally) -> None:
        """A batch with these counts is committed."""
        facets: tuple[Counter[tuple[str, str]], ...] = (Counter(), Counter(), Counter())
        values: Counter[str] = Counter()
        refused: Counter[tuple[str, str]] = Counter()
        for (_, rule, _, outcome, reason, by), sums in tally.groups.items():
            for found, spoken in zip(facets, (by.stage, by.channel, by.device), strict=True):
                found[spoken, outcome] += sums.n
            if outcome == _ACCEPTED and sums.value > 0:
                values[rule] += sums.value  # type: ignore[assignment]  # a sum of floats
            if outcome in _QUARANTINED:
                refused[by.producer, reason] += sums.n
        for family, found in zip(self._by, facets, strict=True):
            for place, n in found.items():
                family.of(*place).inc(n)
        for rule, total in values.items():
            self._value.of(rule).inc(total)
        for (producer, reason), n in refused.items():
            self._quarantined.of(self._producers.shown(producer, n), reason).inc(n)

    def sent(self, records: Mapping[str, int]) -> None:
        """So many records were written, by destination."""
        for destination, n in records.items():
            self._sent.of(destination).inc(n)
