"""``tamis detect``: scores and alerts for a series in a CSV file, row for row, by the detectors of the running system.

Rules: the output appears whole or not at all; a bad row is an error with its line number, with ``--lenient`` it is
carried as missing and counted on standard error. Exit codes: 0 done, 2 a file or option that cannot be used.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from tamis.settings import SetupError

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_FILE: Any = click.Path(dir_okay=False, allow_dash=True)


class IntervalType(click.ParamType):
    """``auto`` (None) or a length such as 60s, 5m, 1h."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Seconds of the text."""
        if value is None or value == "auto":
            return None
        found = re.fullmatch(r"(\d{1,7})\s*(s|m|min|h|d|)", str(value).strip())
        if found is None or int(found[1]) == 0:
            self.fail(f"{value!r} is not auto nor a length such as 60s, 5m or 1h", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command("detect")
@click.option("--input", "source", required=True, type=_FILE, help="timestamp,value[,upstream]; - for stdin.")
@click.option("--output", "target", required=True, type=_FILE, help="timestamp,value,score,alert; - for stdout.")
@click.option(
    "--interval", type=IntervalType(), default="auto", show_default=True, help="Time between rows: auto, 60s, 5m, 1h."
)
@click.option("--lenient", is_flag=True, help="Carry bad rows as missing and count them, instead of an error.")
@click.option("--history", type=_FILE, help="Earlier rows in the same form, learned first (read leniently).")
@click.option("--expected-by", "due", metavar="HH:MM", help="Alert when nothing has come by this time of the day.")
@click.option("--time-zone", "zone", default="UTC", show_default=True, help="Of --expected-by, e.g. Europe/Berlin.")
@click.option("--plot", "picture", type=_FILE, help="Also draw value, healthy band, score and alerts: a file .svg.")
@click.option("--json", "as_json", is_flag=True, help="The summary on standard error as one JSON object.")
def command(
    source: str, target: str, interval: int | None, history: str | None, due: str | None, zone: str,
    picture: str | None, *, lenient: bool, as_json: bool,
) -> None:  # fmt: skip
    r"""Score a series: 0..1 for each row, 0.5 is the threshold; alert is 1 where a new incident begins.

    \b
    Timestamps: YYYY-mm-dd HH:MM:SS, RFC 3339, or epoch seconds or milliseconds; UTC without an offset.
    Counts per minute are judged as counts, with upstream also as a ratio; other series by novelty.
    """
    from tamis.services.detect import Judge, write_scores
    from tamis.services.series_file import SeriesFile, SeriesFileError

    absence, plot = _absence(due, zone), _plot(picture)
    name = source
    try:
        with _opened(source) as lines, _replaced(target) as output:
            file = SeriesFile(lines, lenient=lenient, interval=interval)
            judge = Judge(file.interval, absence)
            if history is not None:
                name = history
                with _opened(history) as past:
                    file.follow(judge.learn_history(SeriesFile(past, lenient=True, interval=file.interval)))
                name = source
            found = write_scores(file, judge, output, plot.add)
        plot.write(_shown(source))
    except SeriesFileError as error:
        raise SetupError(f"{_shown(name)}: {error}") from None
    except UnicodeDecodeError:
        raise SetupError(f"{_shown(name)}: not a UTF-8 text file") from None
    except OSError as error:
        raise SetupError(f"{error.filename or target}: {error.strerror}") from None
    faults = dict(sorted(file.faults.items()))
    if as_json:
        summary = {**found._asdict(), "interval": file.interval, "faults": faults}
        click.echo(msgspec.json.encode(summary).decode(), err=True)
    else:
        click.echo(_summary(found.rows, found.alerts, found.muted, file.interval, faults), err=True)


class _Plot:
    """The picture asked for; none writes nothing."""

    def __init__(self, path: str) -> None:
        from tamis.services.series_plot import SeriesPlot

        self._path = path
        self._plot = SeriesPlot()

    def add(self, judged: Any) -> None:
        """One row."""
        row = judged.row
        if row.time is not None:
            self._plot.add(row.time, row.value, judged.band, judged.score, alert=judged.alert)

    def write(self, title: str) -> None:
        """All of it, to its file."""
        with _replaced(self._path) as output:
            output.write(self._plot.svg(title))


class _NoPlot:
    def add(self, judged: Any) -> None:
        """Nothing is drawn."""

    def write(self, title: str) -> None:
        """Nothing is written."""


def _plot(path: str | None) -> _Plot | _NoPlot:
    if path is None:
        return _NoPlot()
    if path != "-" and Path(path).suffix.lower() != ".svg":
        raise SetupError(f"--plot {path}: the picture is an SVG, so its name must end in .svg")
    return _Plot(path)


def _absence(due: str | None, zone: str) -> Any:
    from tamis.anomaly.absence import AbsenceDetector, local_minute

    if due is None:
        return None
    try:
        local_minute(0, zone)
    except (ValueError, OSError, LookupError):
        raise SetupError(f"--time-zone {zone}: no such time zone; a name such as Europe/Berlin is needed") from None
    try:
        return AbsenceDetector(due, zone)
    except ValueError as error:
        raise SetupError(f"--expected-by: {error}") from None


def _summary(rows: int, alerts: int, muted: int, interval: int, faults: dict[str, int]) -> str:
    parts = [f"{rows} rows, interval {interval} s, {alerts} alerts"]
    if muted:
        parts.append(f"{muted} more incidents without an alert (budget)")
    return "; ".join(parts + [f"{kind}: {count}" for kind, count in faults.items()])


def _shown(name: str) -> str:
    return "standard input" if name == "-" else name


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdin
    else:
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            yield file


@contextmanager
def _replaced(name: str) -> Iterator[TextIO]:
    """A file that takes its place when all is written, or standard output."""
    if name == "-":
        yield sys.stdout
        return
    path = Path(name)
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        with path.open("w", encoding="utf-8", newline="") as output:
            yield output
        return
    umask = os.umask(0)
    os.umask(umask)
    handle, temporary = tempfile.mkstemp(dir=path.parent or ".", prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as output:
            yield output
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
