"""Packs the counts of a batch for ``metrics.partials``: one record per metrics partition that has something to learn.

Rules: all series of a site go to the partition of its murmur2 hash; every metrics partition gets the source's
watermark with the cells, or alone when the last one it got is older than the interval, so minutes can close everywhere.
"""

from collections import defaultdict

from tamis.domain.counts.sketch import sketch_of
from tamis.domain.outcome import SENT
from tamis.domain.tally import Tally
from tamis.kafka.partitioner import partition_of_series
from tamis.records.metrics import Cell, Partial, SubjectsCell, encode_metric


class PartialsPacker:
    """Packs for one source partition.

    Args:
        source: "<topic>/<partition>" without prefix.
        sources: partitions of that topic.
        partitions: partitions of the metrics topics.
        interval_ms: longest time between two watermarks to one metrics partition while there are batches.
    """

    __slots__ = ("_interval_ms", "_partitions", "_series", "_source", "_sources", "_told")

    def __init__(self, source: str, sources: int, partitions: int, interval_ms: int) -> None:
        self._source = source
        self._sources = sources
        self._partitions = partitions
        self._interval_ms = interval_ms
        self._series: dict[tuple[str, str], tuple[str, int]] = {}
        self._told = [-1] * partitions

    def pack(self, tally: Tally, first: int, next_: int, watermark: int) -> list[tuple[int, bytes]]:
        """``(metrics partition, record value)`` for one batch covering ``[first, next_)``."""
        cells: defaultdict[int, list[Cell]] = defaultdict(list)
        entries: defaultdict[tuple[str, int, int], set[int]] = defaultdict(set)
        accepted: defaultdict[tuple[str, int, int], set[int]] = defaultdict(set)
        for (site, rule, minute, outcome, reason, by), sums in tally.groups.items():
            series, partition = self._place(site, rule)
            cells[partition].append(
                Cell(series, minute, outcome, reason, sums.n, sums.value, by.stage, by.channel, by.device, by.producer)
            )
            if sums.entries:
                entries[series, minute, partition] |= sums.entries
                if outcome in SENT:
                    accepted[series, minute, partition] |= sums.entries
        subjects: defaultdict[int, list[SubjectsCell]] = defaultdict(list)
        for (series, minute, partition), found in entries.items():
            of_accepted = sketch_of(accepted.get((series, minute, partition), ()))
            subjects[partition].append(SubjectsCell(series, minute, sketch_of(found), of_accepted))
        packed = []
        for partition, told in enumerate(self._told):
            counted = cells.get(partition)
            if counted is None and told >= 0 and watermark - told < self._interval_ms:
                continue
            self._told[partition] = watermark
            partial = Partial(
                source=self._source,
                sources=self._sources,
                first=first,
                next=next_,
                watermark=watermark,
                cells=tuple(counted or ()),
                subjects=tuple(subjects.get(partition, ())),
            )
            packed.append((partition, encode_metric(partial)))
        return packed

    def _place(self, site: str, rule: str) -> tuple[str, int]:
        place = self._series.get((site, rule))
        if place is None:
            series = f"{site}/{rule}"
            place = self._series[site, rule] = series, partition_of_series(series, self._partitions)
        return place
