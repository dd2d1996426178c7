"""A series file through the stream detector: one scored row out for every row in.

Rules: rows keep their order and their texts; a row without a usable time or value scores 0; history is learned before
the first row and never written; an observation is judged by what came before it alone.
Not handled here: reading and checking rows (``series_file``), judging (``tamis.anomaly``).
"""

import csv
from collections.abc import Iterable
from typing import NamedTuple, TextIO

from tamis.anomaly.stream_detector import StreamDetector
from tamis.services.series_file import Row, SeriesFile

HEADER = ("timestamp", "value", "score", "alert")


class Judged(NamedTuple):
    """One row with what the detector said of it."""

    row: Row
    score: float
    alert: bool
    channel: str


class Detected(NamedTuple):
    """Totals of one file."""

    rows: int
    alerts: int
    muted: int


def learn_history(detector: StreamDetector, rows: Iterable[Row]) -> int:
    """Warm start: judge and learn the past, then forget its incidents; epoch seconds of its last row (-1: none)."""
    last = -1
    for row in rows:
        if row.time is not None:
            detector.observe(row.time, row.value, row.upstream)
            last = row.time
    detector.forget_incidents()
    return last


def judge(detector: StreamDetector, rows: Iterable[Row]) -> Iterable[Judged]:
    """Each row with its score; a row without a time is not shown to the detector."""
    for row in rows:
        if row.time is None:
            yield Judged(row, 0.0, alert=False, channel="")
        else:
            verdict = detector.observe(row.time, row.value, row.upstream)
            yield Judged(row, verdict.score, verdict.alert, verdict.channel)


def write_scores(file: SeriesFile, detector: StreamDetector, output: TextIO) -> Detected:
    """Write ``timestamp,value,score,alert`` row for row.

    Raises:
        SeriesFileError: a row that strict reading refuses; rows before it are written.
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(HEADER)
    rows = alerts = 0
    for each in judge(detector, file):
        writer.writerow((each.row.timestamp, each.row.text, f"{each.score:.6f}", int(each.alert)))
        rows += 1
        alerts += each.alert
    return Detected(rows, alerts, detector.policy.state.muted)
