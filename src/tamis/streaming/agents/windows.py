"""The window agent: ``metrics.partials`` to exact one-minute windows, and those to longer spans.

Rules: open windows, open spans and watermarks are a table whose changelog is ``metrics.open``; windows
(``metrics.windows``), spans (``metrics.rollups``), table changes and offset leave in the batch's transaction, so a
minute and a span are closed once whatever happens to workers. Table keys begin with the partition, because one worker's
table holds several.
Not handled here: merging and closing (``tamis.metrics.windows``, ``tamis.metrics.rollups``).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from tamis.metrics.rollups import RollUps
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.metrics import Closing, MinuteClosed, RollUp, decode_partial, encode_metric
from tamis.records.topics import Topic
from tamis.streaming.transport.batch import Batch
from tamis.streaming.transport.topic import batch_topic

SOURCES = (Topic.EVENTS_RAW.value, Topic.EVENTS_HELD.value, Topic.EVENTS_HELD_LAST.value)
"""Topics whose partitions must all have passed a minute before it closes."""


class WindowsObserver(Protocol):
    """Told after each commit what was closed and how far each source is."""

    def windows_closed(self, partition: int, closed: list[Closing], state: WindowState) -> None:
        """A batch of a metrics partition is committed."""


class SilentWindows:
    """A ``WindowsObserver`` that ignores everything."""

    def windows_closed(self, partition: int, closed: list[Closing], state: WindowState) -> None:
        """Ignore."""


class WindowsRunner:
    """Merges batches of partial counts.

    Args:
        table: its changelog is ``metrics.open``.
        windows: full name of ``metrics.windows``.
        rollups: full name of ``metrics.rollups``.
        record_time: windows carry the end of their minute as timestamp (replays, demo), else now.
        observer: told after each commit.
        repeats: batches may be repeated (at least once).
        sources: see ``SOURCES``.
    """

    def __init__(
        self, table: Any, windows: str, rollups: str, observer: WindowsObserver, *,
        record_time: bool, repeats: bool = False, sources: tuple[str, ...] = SOURCES,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._table = table
        self._windows = windows
        self._rollups = rollups
        self._observer = observer
        self._record_time = record_time
        self._repeats = repeats

    async def run(self, batches: Any) -> None:
        """Until the stream ends; any exception is a fault and stops the worker."""
        async for batch in batches:
            async with batch:
                self._process(batch)

    def _process(self, batch: Batch) -> None:
        state, spans = batch.local.get("windows"), batch.local.get("spans")
        if not isinstance(state, WindowState) or not isinstance(spans, RollUps):
            state, spans = self._restore(batch.partition)
            batch.local |= {"windows": state, "spans": spans}
        for record in batch.records:
            state.apply(decode_partial(record.value))
        closed = state.close()
        self._write(batch, closed)
        self._write_spans(batch, spans.take(closed, state.closed))
        for key, value in (state.drain() | spans.drain()).items():
            place = b"%d\x00%s" % (batch.partition, key.encode())
            if value is not None:
                self._table[place] = value
            elif place in self._table:
                del self._table[place]
        batch.after_commit.append(partial(self._observer.windows_closed, batch.partition, closed, state))

    def _restore(self, partition: int) -> tuple[WindowState, RollUps]:
        state, spans, prefix = WindowState(self._sources, repeats=self._repeats), RollUps(), b"%d\x00" % partition
        rows = [(key[len(prefix) :].decode(), value) for key, value in self._table.items() if key.startswith(prefix)]
        state.restore(rows)
        spans.restore(rows)
        return state, spans

    def _write(self, batch: Batch, closed: list[Closing]) -> None:
        by_minute: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for each in closed:
            key = None if isinstance(each, MinuteClosed) else each.series.encode()
            by_minute.setdefault(each.minute, []).append((key, encode_metric(each)))
        for minute, items in by_minute.items():
            stamp = (minute + 1) * MINUTE_MS if self._record_time else None
            batch.send(self._windows, items, timestamp_ms=stamp)

    def _write_spans(self, batch: Batch, rolled: list[RollUp]) -> None:
        by_end: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for each in rolled:
            by_end.setdefault(each.start + each.minutes, []).append((each.series.encode(), encode_metric(each)))
        for end, items in by_end.items():
            batch.send(self._rollups, items, timestamp_ms=end * MINUTE_MS if self._record_time else None)


def register_windows(
    app: Any, topic: Callable[[str], str], partitions: int, observer: WindowsObserver, *, record_time: bool,
    sources: tuple[str, ...] = SOURCES,
) -> None:  # fmt: skip
    """Adds the agent and its table to a Faust app.

    Args:
        app: made by ``streaming.app.make_app``.
        topic: short name -> full topic name.
        partitions: of the metrics topics.
        observer: told after each commit.
        record_time: see ``WindowsRunner``.
        sources: see ``SOURCES``.
    """
    partials = batch_topic(app, topic(Topic.METRICS_PARTIALS), empty_every_s=None)
    log = app.topic(topic(Topic.METRICS_OPEN), key_type=bytes, value_type=bytes, partitions=partitions, acks=False)
    table = app.Table("open-windows", partitions=partitions, key_type=bytes, value_type=bytes, changelog_topic=log)
    repeats = not app.transport.exactly_once
    written = topic(Topic.METRICS_WINDOWS), topic(Topic.METRICS_ROLLUPS)
    runner = WindowsRunner(table, *written, observer, record_time=record_time, repeats=repeats, sources=sources)

    @app.agent(partials, name="windows")  # type: ignore[misc]
    async def windows(stream: Any) -> None:
        await runner.run(stream)
