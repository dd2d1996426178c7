"""A series file through the stream detector: one scored row out for every row in.

Rules: rows keep their order and their texts; a row without a usable time or value scores 0; history is learned before
the first row and never written; an observation is judged by what came before it alone; an absence (nothing by the
expected time of day) scores 1 until something comes.
Not handled here: reading and checking rows (``series_file``), judging (``tamis.anomaly``), the picture
(``series_plot``).
"""

import csv
from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple, TextIO

from tamis.anomaly.absence import AbsenceDetector
from tamis.anomaly.season import Tier
from tamis.anomaly.stream_detector import StreamDetector, Verdict
from tamis.services.series_file import Row, SeriesFile

HEADER = ("timestamp", "value", "score", "alert")
NOTHING = Verdict()


class Judged(NamedTuple):
    """One row with what the detectors said of it."""

    row: Row
    score: float
    alert: bool
    verdict: Verdict = NOTHING

    @property
    def band(self) -> tuple[float, float] | None:
        """The healthy range of the value, None where none is known or another channel decided."""
        judgement = self.verdict.judgement
        if self.verdict.channel != "count" or not judgement.window:
            return None
        return judgement.low, inf if judgement.tier == Tier.NONE else judgement.high


class Detected(NamedTuple):
    """Totals of one file."""

    rows: int
    alerts: int
    muted: int


class Judge:
    """Everything that judges the rows of one file.

    Args:
        interval: seconds between rows.
        absence: None where nothing is expected by a time of day.
    """

    def __init__(self, interval: int, absence: AbsenceDetector | None = None) -> None:
        self.detector = StreamDetector(interval)
        self._absence = absence
        self._absent = False

    def learn_history(self, rows: Iterable[Row]) -> int:
        """Warm start: judge and learn the past, then forget its incidents; time of its last row (-1: none)."""
        last = -1
        for row in rows:
            if row.time is not None:
                self.judge(row)
                last = row.time
        self.detector.forget_incidents()
        self._absent = False
        return last

    def judge(self, row: Row) -> Judged:
        """Score, then learn, one row; a row without a time is not shown to the detectors."""
        if row.time is None:
            return Judged(row, 0.0, alert=False)
        verdict = self.detector.observe(row.time, row.value, row.upstream)
        if self._absence is None:
            return Judged(row, verdict.score, verdict.alert, verdict)
        missing = self._absence.observe(row.time, row.value or 0.0)
        began, self._absent = missing > 0.0 and not self._absent, missing > 0.0
        return Judged(row, max(verdict.score, missing), verdict.alert or began, verdict)


def write_scores(file: SeriesFile, judge: Judge, output: TextIO, shown: Callable[[Judged], None]) -> Detected:
    """Write ``timestamp,value,score,alert`` row for row.

    Args:
        file: the rows.
        judge: judges them.
        output: open text file.
        shown: told of each row.

    Raises:
        SeriesFileError: a row that strict reading refuses; rows before it are written.
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(HEADER)
    rows = alerts = 0
    for row in file:
        each = judge.judge(row)
        writer.writerow((row.timestamp, row.text, f"{each.score:.6f}", int(each.alert)))
        shown(each)
        rows += 1
        alerts += each.alert
    return Detected(rows, alerts, judge.detector.policy.state.muted)
