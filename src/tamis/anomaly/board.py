"""All watched series of one metrics partition: closed windows in, alerts and snapshots out.

Rules: when a minute closes every watched series is judged, a series without a window with 0 events; a series is watched
from its first window on and forgotten after ``forget_minutes`` without events; each series is snapshotted when it is
new and then once per ``snapshot_minutes``, spread over that time, with the offset up to which ``metrics.windows`` is in
it; records below that offset are ignored, so restoring all snapshots and taking the records from the smallest of their
offsets again gives exactly the board that never stopped.
Not handled here: topics and transactions (the agent), what a judgement is (``count_detector``).
"""

from collections.abc import Callable, Iterable
from zlib import crc32

import msgspec

from tamis.anomaly.count_detector import CountDetector
from tamis.anomaly.incidents import IncidentPolicy, Incidents, OpenIncident, RuleFacts, split_series
from tamis.records.alert import Alert
from tamis.records.metrics import Closing, MinuteClosed, Window

FactsOf = Callable[[str], RuleFacts]


class BoardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a board keeps its series.

    Attributes:
        incidents: when incidents open and close.
        snapshot_minutes: each series is snapshotted so often.
        forget_minutes: a series without events for so long is no longer watched.
        most_series: further series are counted by ``Board.unwatched`` and not judged.
    """

    incidents: IncidentPolicy = IncidentPolicy()
    snapshot_minutes: int = 60
    forget_minutes: int = 14 * 1_440
    most_series: int = 20_000


class SeriesSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """Value of ``metrics.state``, version 1: what a new owner needs to go on with a series.

    Attributes:
        version: 1.
        next: offset of ``metrics.windows`` from which records are not in it.
        seen: last minute with events.
        minute: last minute judged.
        detector: see ``CountDetector.encode``.
        incident: open incident.
    """

    version: int
    next: int
    seen: int
    minute: int
    detector: bytes
    incident: OpenIncident | None


SNAPSHOT_VERSION = 1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SeriesSnapshot)


class _Watch:
    """One series."""

    __slots__ = ("count", "detector", "fresh", "incidents", "minute", "next", "seen")

    def __init__(self, series: str, policy: IncidentPolicy) -> None:
        self.detector = CountDetector()
        self.incidents = Incidents(series, policy)
        self.count = 0
        self.next = 0
        self.seen = self.minute = -1
        self.fresh = True

    def encode(self) -> bytes:
        return _encoder.encode(
            SeriesSnapshot(
                SNAPSHOT_VERSION, self.next, self.seen, self.minute, self.detector.encode(), self.incidents.open
            )
        )

    def restore(self, snapshot: SeriesSnapshot) -> None:
        self.detector.restore(snapshot.detector)
        self.incidents.open = snapshot.incident
        self.next, self.seen, self.minute = snapshot.next, snapshot.seen, snapshot.minute
        self.fresh = False


class Board:
    """Detectors and incidents of one partition.

    Args:
        facts: rule id -> what its alerts say.
        policy: see ``BoardPolicy``.

    Attributes:
        unwatched: windows of series beyond ``most_series`` since the start.
    """

    def __init__(self, facts: FactsOf, policy: BoardPolicy | None = None) -> None:
        self._facts = facts
        self._policy = policy or BoardPolicy()
        self._watched: dict[str, _Watch] = {}
        self._snapshots: dict[str, bytes | None] = {}
        self.unwatched = 0

    def __len__(self) -> int:
        return len(self._watched)

    def take(self, offset: int, record: Closing) -> list[Alert]:
        """The next record of ``metrics.windows``; what is to be told after it.

        On replay the result is dropped: it was told before.
        """
        if isinstance(record, Window):
            self._count(offset, record)
            return []
        return self._close(offset, record.minute)

    def learn_history(self, records: Iterable[Closing]) -> None:
        """Warm start from windows of the past that are not in ``metrics.windows``; incidents in them are forgotten."""
        for offset, record in enumerate(records):
            self.take(offset, record)
        for watch in self._watched.values():
            watch.incidents.open = None
            watch.next = 0
            watch.fresh = True
        self._snapshots.clear()

    def drain_snapshots(self) -> dict[str, bytes | None]:
        """Snapshots due since the last call: series -> value of ``metrics.state``, None = forgotten."""
        due, self._snapshots = self._snapshots, {}
        return due

    def snapshots(self) -> dict[str, bytes]:
        """All series as they are now: series -> value of ``metrics.state``."""
        return {series: watch.encode() for series, watch in self._watched.items()}

    def restore(self, series: str, snapshot: bytes) -> None:
        """Take over a snapshot.

        Raises:
            msgspec.DecodeError: not a snapshot.
            ValueError: a snapshot of another version.
        """
        state = _decoder.decode(snapshot)
        if state.version != SNAPSHOT_VERSION:
            raise ValueError(f"snapshot of version {state.version}, this is version {SNAPSHOT_VERSION}")
        self._watch(series).restore(state)

    def replay_from(self) -> int:
        """Smallest offset of ``metrics.windows`` that is not in all snapshots; 0 without snapshots."""
        return min((watch.next for watch in self._watched.values()), default=0)

    def reconcile(self, told: Iterable[Alert]) -> list[Alert]:
        """Bring the incidents in line with the last states in ``alerts``, which is what people saw.

        Args:
            told: last alert of each incident of this partition's series.

        Returns:
            Closing alerts for incidents that must not stay open (a second one of a series).
        """
        latest: dict[str, Alert] = {}
        surplus: list[Alert] = []
        for alert in sorted((each for each in told if each.state != "closed"), key=lambda each: each.minute):
            if alert.series in latest:
                surplus.append(latest[alert.series])
            latest[alert.series] = alert
        for series, alert in latest.items():
            incidents = self._watch(series).incidents
            if incidents.open is None or incidents.open.told.id != alert.id:
                incidents.open = OpenIncident(alert)
        for series, watch in self._watched.items():
            if series not in latest:
                watch.incidents.open = None
        return [msgspec.structs.replace(each, state="closed", closed_at=each.detected_at) for each in surplus]

    def open_incidents(self) -> list[Alert]:
        """The last alert of each open incident, by series."""
        opened = ((series, watch.incidents.open) for series, watch in sorted(self._watched.items()))
        return [incident.told for _, incident in opened if incident is not None]

    def _watch(self, series: str) -> _Watch:
        watch = self._watched.get(series)
        if watch is None:
            watch = self._watched[series] = _Watch(series, self._policy.incidents)
        return watch

    def _count(self, offset: int, window: Window) -> None:
        if window.series not in self._watched and len(self._watched) >= self._policy.most_series:
            self.unwatched += 1
            return
        watch = self._watch(window.series)
        if offset >= watch.next and window.minute > watch.minute:
            watch.count += sum(cell.n for cell in window.cells)
            watch.seen = window.minute

    def _close(self, offset: int, minute: int) -> list[Alert]:
        alerts: list[Alert] = []
        for series, watch in list(self._watched.items()):
            if offset < watch.next or minute <= watch.minute:
                continue
            judgement = watch.detector.observe(minute, watch.count)
            watch.count, watch.minute, watch.next = 0, minute, offset + 1
            alert = watch.incidents.step(minute, judgement, self._facts(split_series(series)[1]))
            if alert is not None:
                alerts.append(alert)
            self._keep(series, watch, minute)
        return alerts

    def _keep(self, series: str, watch: _Watch, minute: int) -> None:
        if minute - watch.seen > self._policy.forget_minutes and watch.incidents.open is None:
            del self._watched[series]
            self._snapshots[series] = None
        elif (
            watch.fresh
            or minute % self._policy.snapshot_minutes == crc32(series.encode()) % self._policy.snapshot_minutes
        ):
            self._snapshots[series] = watch.encode()
            watch.fresh = False


def closings(minutes: Iterable[tuple[int, Iterable[Window]]]) -> Iterable[Closing]:
    """Windows by minute as the records ``metrics.windows`` would have: windows, then the end of the minute."""
    for minute, windows in minutes:
        found = list(windows)
        yield from found
        yield MinuteClosed(minute=minute, n=sum(cell.n for w in found for cell in w.cells), series=len(found))
