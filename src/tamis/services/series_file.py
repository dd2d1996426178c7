"""Rows of a series file (``timestamp,value[,upstream]``): strictly checked, or read leniently with every fault counted.

Rules: strict reading stops at the first bad row and names its line; lenient reading gives one row for every row of the
file, with a bad value carried as missing (None) and a row whose time cannot stand where it is as a row without a time.
Times are ``YYYY-mm-dd HH:MM:SS``, RFC 3339, or epoch seconds or milliseconds; without an offset they are UTC.
Not handled here: detection.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice, pairwise
from math import isfinite
from typing import NamedTuple

TIMESTAMP, VALUE, UPSTREAM = "timestamp", "value", "upstream"
MILLISECONDS_FROM = 1e11  # epoch numbers from here on are milliseconds
LATEST = 253_402_300_799.0  # end of the year 9999
PROBE_ROWS = 200
FAR_AHEAD_S = 30 * 86_400
GAP = 1.5  # intervals


class SeriesFileError(Exception):
    """The file cannot be used; the message names the line."""


class Row(NamedTuple):
    """One row: texts as in the file, time in epoch seconds, numbers; None where there is none to use."""

    timestamp: str
    text: str
    time: int | None
    value: float | None
    upstream: float | None


class SeriesFile:
    """The rows of one file, in order.

    Args:
        lines: text lines of the file.
        lenient: carry bad values as missing instead of raising.
        interval: seconds between rows; None to infer it from the first rows.

    Attributes:
        interval: seconds between rows, given or inferred (the most frequent step).
        has_upstream: whether there is a column ``upstream``.
        faults: what lenient reading met, counted by kind.

    Raises:
        SeriesFileError: no usable header.
    """

    def __init__(self, lines: Iterable[str], *, lenient: bool = False, interval: int | None = None) -> None:
        self._lenient = lenient
        self._reader = csv.reader(lines)
        self._columns, self._width = self._header()
        self.has_upstream = UPSTREAM in self._columns
        self.faults: Counter[str] = Counter()
        self._last: int | None = None
        self._far: int | None = None
        self._ahead = list(islice(self._records(), PROBE_ROWS))
        self.interval = interval or self._infer()

    def __iter__(self) -> Iterator[Row]:
        ahead, self._ahead = self._ahead, []
        for line, record in chain(ahead, self._records()):
            yield self._row(line, record)

    def follow(self, time: int) -> None:
        """The rows come after this time (epoch seconds); earlier ones are unsorted. -1: after nothing."""
        self._last = time if time >= 0 else None

    def _header(self) -> tuple[dict[str, int], int]:
        try:
            names = [name.strip().lower().removeprefix("\ufeff") for name in next(self._reader)]
        except StopIteration:
            raise SeriesFileError("line 1: the file is empty; a header timestamp,value[,upstream] is needed") from None
        except csv.Error as error:
            raise SeriesFileError(f"line 1: {error}") from None
        for name in (TIMESTAMP, VALUE):
            if name not in names:
                raise SeriesFileError(f"line 1: no column {name}; the header must be timestamp,value[,upstream]")
        for name in (TIMESTAMP, VALUE, UPSTREAM):
            if names.count(name) > 1:
                raise SeriesFileError(f"line 1: more than one column {name}")
        return {name: names.index(name) for name in (TIMESTAMP, VALUE, UPSTREAM) if name in names}, len(names)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if not self._lenient:
                    raise SeriesFileError(f"line {self._reader.line_num}: {error}") from None
                record = []
            if record or self._lenient:
                yield self._reader.line_num, record
            elif any(self._reader):
                raise SeriesFileError(f"line {self._reader.line_num - 1}: an empty line")

    def _infer(self) -> int:
        column = self._columns[TIMESTAMP]
        times = [parse_time(record[column]) for _, record in self._ahead if len(record) > column]
        known = [time for time in times if time is not None]
        steps = Counter(b - a for a, b in pairwise(known) if b > a)
        if steps:
            return max(steps, key=lambda step: (steps[step], -step))
        return 60  # no two times in order: reading them says what is wrong with which line

    def _row(self, line: int, record: list[str]) -> Row:
        if len(record) != self._width:
            self._fault(line, "fields", f"{len(record)} fields where {self._width} belong")
        cells = {name: record[at].strip() if at < len(record) else "" for name, at in self._columns.items()}
        time = self._time(line, cells[TIMESTAMP])
        value = self._number(line, VALUE, cells[VALUE])
        upstream = self._number(line, UPSTREAM, cells[UPSTREAM]) if self.has_upstream else None
        return Row(cells[TIMESTAMP], cells[VALUE], time, value, upstream)

    def _time(self, line: int, text: str) -> int | None:
        time = parse_time(text)
        if time is None:
            self._fault(line, "timestamp", f"{text[:40]!r} is not a timestamp" if text else "no timestamp")
            return None
        last = self._last
        if last is None:
            self._last = time
            return time
        if time == last:
            self._fault(line, "duplicate", f"{text} is there twice")
            return None
        if time < last:
            self._fault(line, "unsorted", f"{text} comes after a later time")
            return None
        if self._lenient and time - last > FAR_AHEAD_S and not (self._far is not None and time >= self._far):
            # One wrong time far ahead must not make all that follow it late.
            self._far = time
            self._fault(line, "timestamp", "")
            return None
        self._far = None
        if time - last >= GAP * self.interval:
            missing = max(1, round((time - last) / self.interval) - 1)
            message = f"{missing} row{'s' if missing > 1 else ''} missing before {text} (interval {self.interval} s)"
            self._fault(line, "missing row", message, missing)
        self._last = time
        return time

    def _number(self, line: int, column: str, text: str) -> float | None:
        if not text:
            self._fault(line, f"missing {column}", f"no {column}")
            return None
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if "_" in text or not isfinite(number):
            self._fault(line, f"non-numeric {column}", f"{column} {text[:40]!r} is not a finite number")
            return None
        return number

    def _fault(self, line: int, kind: str, message: str, times: int = 1) -> None:
        if not self._lenient:
            raise SeriesFileError(f"line {line}: {message}")
        self.faults[kind] += times


def parse_time(text: str) -> int | None:
    """Epoch seconds of a timestamp in one of the accepted forms; None when it is in none of them."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text) if "-" in text[1:] else None
    except ValueError:
        return None
    if moment is not None:
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    try:
        number = float(text) if "_" not in text else float("nan")
    except ValueError:
        return None
    if not isfinite(number) or number < 0.0:
        return None
    seconds = number / 1000.0 if number >= MILLISECONDS_FROM else number
    return int(seconds) if seconds <= LATEST else None
