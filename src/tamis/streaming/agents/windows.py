"""The window agent: ``metrics.partials`` to exact one-minute windows, and those to longer spans.

Rules: open windows, open spans and watermarks are a table whose changelog is ``metrics.open``; windows
(``metrics.windows``), spans (``metrics.rollups``), what may be published of them (``metrics.public``), table changes
and offset leave in the batch's transaction, so a
minute and a span are closed once whatever happens to workers. Table keys begin with the partition, because one worker's
table holds several.
Not handled here: merging and closing (``tamis.metrics.windows``, ``.rollups``), what may be published
(``.public``).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

from tamis.metrics.public import PublicCounts
from tamis.metrics.rollups import RollUps
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.metrics import Closing, MinuteClosed, PublicCount, RollUp, decode_partial, encode_metric
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


class _Kept(NamedTuple):
    """What is kept of a metrics partition from batch to batch."""

    windows: WindowState
    spans: RollUps
    public: PublicCounts


class WindowsRunner:
    """Merges batches of partial counts.

    Args:
        table: its changelog is ``metrics.open``.
        windows: full name of ``metrics.windows``.
        rollups: full name of ``metrics.rollups``.
        public: full name of ``metrics.public``.
        k: fewest people of a published record.
        record_time: windows carry the end of their minute as timestamp (replays, demo), else now.
        observer: told after each commit.
        repeats: batches may be repeated (at least once).
        sources: see ``SOURCES``.
    """

    def __init__(
        self, table: Any, windows: str, rollups: str, public: str, k: int, observer: WindowsObserver, *,
        record_time: bool, repeats: bool = False, sources: tuple[str, ...] = SOURCES,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._public = public
        self._k = k
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
        kept = batch.local.get("windows")
        if not isinstance(kept, _Kept):
            kept = batch.local["windows"] = self._restore(batch.partition)
        state, spans, public = kept
        for record in batch.records:
            state.apply(decode_partial(record.value))
        closed = state.close()
        self._write(batch, closed)
        self._write_spans(batch, self._rollups, spans.take(closed, state.closed))
        self._write_spans(batch, self._public, public.take(closed, state.closed))
        for key, value in (state.drain() | spans.drain() | public.drain()).items():
            place = b"%d\x00%s" % (batch.partition, key.encode())
            if value is not None:
                self._table[place] = value
            elif place in self._table:
                del self._table[place]
        batch.after_commit.append(partial(self._observer.windows_closed, batch.partition, closed, state))

    def _restore(self, partition: int) -> "_Kept":
        state = WindowState(self._sources, repeats=self._repeats)
        kept, prefix = _Kept(state, RollUps(), PublicCounts(self._k)), b"%d\x00" % partition
        rows = [(key[len(prefix) :].decode(), value) for key, value in self._table.items() if key.startswith(prefix)]
        for each in kept:
            each.restore(rows)
        return kept

    def _write(self, batch: Batch, closed: list[Closing]) -> None:
        by_minute: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for each in closed:
            key = None if isinstance(each, MinuteClosed) else each.series.encode()
            by_minute.setdefault(each.minute, []).append((key, encode_metric(each)))
        for minute, items in by_minute.items():
            stamp = (minute + 1) * MINUTE_MS if self._record_time else None
            batch.send(self._windows, items, timestamp_ms=stamp)

    def _write_spans(self, batch: Batch, topic: str, spans: list[RollUp] | list[PublicCount]) -> None:
        by_end: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for each in spans:
            by_end.setdefault(each.start + each.minutes, []).append((each.series.encode(), encode_metric(each)))
        for end, items in by_end.items():
            batch.send(topic, items, timestamp_ms=end * MINUTE_MS if self._record_time else None)


def register_windows(
    app: Any, topic: Callable[[str], str], partitions: int, observer: WindowsObserver, *, record_time: bool, k: int,
    sources: tuple[str, ...] = SOURCES,
) -> None:  # fmt: skip
    """Adds the agent and its table to a Faust app.

    Args:
        app: made by ``streaming.app.make_app``.
        topic: short name -> full topic name.
        partitions: of the metrics topics.
        observer: told after each commit.
        record_time: see ``WindowsRunner``.
        k: likewise.
        sources: see ``SOURCES``.
    """
    partials = batch_topic(app, topic(Topic.METRICS_PARTIALS), empty_every_s=None)
    log = app.topic(topic(Topic.METRICS_OPEN), key_type=bytes, value_type=bytes, partitions=partitions, acks=False)
    table = app.Table("open-windows", partitions=partitions, key_type=bytes, value_type=bytes, changelog_topic=log)
    repeats = not app.transport.exactly_once
    written = topic(Topic.METRICS_WINDOWS), topic(Topic.METRICS_ROLLUPS), topic(Topic.METRICS_PUBLIC)
    runner = WindowsRunner(table, *written, k, observer, record_time=record_time, repeats=repeats, sources=sources)

    @app.agent(partials, name="windows")  # type: ignore[misc]
    async def windows(stream: Any) -> None:
        await runner.run(stream)
