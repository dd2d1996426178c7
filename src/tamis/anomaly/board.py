"""All watched series of one metrics partition: closed windows in, alerts and snapshots out.

Rules: when a minute closes every watched series is judged, a series without a window with 0 events, a site with several
series before each of them; a series is watched from its first window on and forgotten after ``forget_minutes`` without
events; each series and site is snapshotted when it is new and then once per ``snapshot_minutes``, spread over that
time, with the offset up to which ``metrics.windows`` is in it; records below that offset are ignored, so restoring all
snapshots and taking the records from the smallest of their offsets again gives exactly the board that never stopped.
Not handled here: topics and transactions (the agent), what a judgement is (``stream_detector``).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

import msgspec

from tamis.anomaly.causes import BUNDLE, BUNDLE_MINUTES, cause_of
from tamis.anomaly.count_detector import Judgement
from tamis.anomaly.incidents import ALONE, CLOSED, IncidentPolicy, RuleFacts, split_series
from tamis.anomaly.site_watch import WHOLE, SiteWatch
from tamis.anomaly.snapshots import decode_snapshot, encode_snapshot
from tamis.anomaly.watch import Minute, SeriesSnapshot, Watch
from tamis.records.alert import Alert
from tamis.records.metrics import Closing, MinuteClosed, Window, arrivals, arrived

FactsOf = Callable[[str], RuleFacts]


class BoardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a board keeps its series.

    Attributes:
        incidents: when incidents are told again.
        snapshot_minutes: each series is snapshotted so often.
        forget_minutes: a series without events for so long is no longer watched.
        most_series: further series are counted by ``Board.unwatched`` and not judged.
    """

    incidents: IncidentPolicy = IncidentPolicy()
    snapshot_minutes: int = 60
    forget_minutes: int = 14 * 1_440
    most_series: int = 20_000


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
        self._watched: dict[str, Watch] = {}
        self._sites: dict[str, SiteWatch] = {}
        self._of_site: defaultdict[str, dict[str, Watch]] = defaultdict(dict)
        self._counts: dict[str, float] = {}
        self._fates: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._snapshots: dict[str, bytes | None] = {}
        self._bundle, self._bundle_minute, self._minute = "", -BUNDLE_MINUTES, -1
        self.unwatched = 0

    def __len__(self) -> int:
        return len(self._watched)

    def take(self, offset: int, record: Closing) -> list[Alert]:
        """The next record of ``metrics.windows``; what is to be told after it.

        On replay the result is dropped: it was told before.
        """
        if isinstance(record, Window):
            self._count(record)
            return []
        return self._close(offset, record.minute)

    def note_bundle(self, bundle: str) -> None:
        """The rule bundle in force (its hash); what breaks soon after a change has a suspected cause."""
        if bundle != self._bundle:
            if self._bundle:
                self._bundle_minute = self._minute
            self._bundle = bundle

    def learn_history(self, records: Iterable[Closing]) -> None:
        """Warm start from windows of the past that are not in ``metrics.windows``; incidents in them are forgotten."""
        for offset, record in enumerate(records):
            self.take(offset, record)
        for watch in self._all():
            watch.forget_incidents()
            watch.next = 0
            watch.fresh = True
        self._snapshots.clear()

    def drain_snapshots(self) -> dict[str, bytes | None]:
        """Snapshots due since the last call: series -> value of ``metrics.state``, None = forgotten."""
        due, self._snapshots = self._snapshots, {}
        return due

    def snapshots(self) -> dict[str, bytes]:
        """All series and sites as they are now: series -> value of ``metrics.state``."""
        series = {series: encode_snapshot(watch.encode()) for series, watch in self._watched.items()}
        return series | {_whole(site): encode_snapshot(watch.encode()) for site, watch in self._sites.items()}

    def restore(self, series: str, snapshot: bytes) -> None:
        """Take over a snapshot.

        Raises:
            msgspec.DecodeError: not a snapshot.
            ValueError: a snapshot of another version.
        """
        state = decode_snapshot(snapshot)
        site, rule = split_series(series)
        if not isinstance(state, SeriesSnapshot):
            restored = SiteWatch(site, self._policy.incidents)
            restored.restore(state)
            self._sites[site] = restored
            return
        watch = Watch(series, self._policy.incidents)
        watch.restore(state)
        self._watched[series] = self._of_site[site][rule] = watch

    def replay_from(self) -> int:
        """Smallest offset of ``metrics.windows`` that is not in all snapshots; 0 without snapshots."""
        return min((watch.next for watch in self._all()), default=0)

    def reconcile(self, told: Iterable[Alert]) -> list[Alert]:
        """Bring the incidents in line with the last states in ``alerts``, which is what people saw.

        Args:
            told: last alert of each incident of this partition's series.

        Returns:
            Closing alerts for incidents that must not stay open (a second one of a series).
        """
        latest: dict[tuple[str, bool], Alert] = {}
        surplus: list[Alert] = []
        for alert in sorted((each for each in told if each.state != CLOSED), key=lambda each: each.minute):
            place = alert.series, alert.channel == "absence"
            if place in latest:
                surplus.append(latest[place])
            latest[place] = alert
        for series in {series for series, _ in latest} - self._watched.keys():
            if split_series(series)[1] != WHOLE:
                self._watch(series)
        for series, each in self._named().items():
            _reconcile(each, latest.pop((series, False), None))
        for series, watch in self._watched.items():
            watch.absent = latest.pop((series, True), None)
        surplus += latest.values()  # of sites that are no longer watched
        return [msgspec.structs.replace(each, state=CLOSED, closed_at=each.detected_at) for each in surplus]

    def open_incidents(self) -> list[Alert]:
        """The last alert of each open incident, by series."""
        found = [watch.incidents.open for watch in self._all()]
        found += [watch.absent for watch in self._watched.values()]
        return sorted((alert for alert in found if alert is not None), key=lambda alert: (alert.series, alert.id))

    def judged(self) -> Iterator[tuple[str, Judgement]]:
        """What the last minute of each watched series looked like, by series."""
        return ((series, watch.verdict.judgement) for series, watch in self._watched.items())

    def _all(self) -> list[Watch | SiteWatch]:
        return [*self._watched.values(), *self._sites.values()]

    def _named(self) -> dict[str, Watch | SiteWatch]:
        named: dict[str, Watch | SiteWatch] = {_whole(site): watch for site, watch in self._sites.items()}
        return named | self._watched

    def _watch(self, series: str) -> Watch:
        watch = self._watched.get(series)
        if watch is None:
            site, rule = split_series(series)
            watch = self._watched[series] = self._of_site[site][rule] = Watch(series, self._policy.incidents)
            if len(self._of_site[site]) > 1 and site not in self._sites:
                self._sites[site] = SiteWatch(site, self._policy.incidents)
        return watch

    def _count(self, window: Window) -> None:
        if window.series not in self._watched and len(self._watched) >= self._policy.most_series:
            self.unwatched += 1
            return
        self._watch(window.series)
        total, fates = 0, self._fates[split_series(window.series)[0]]
        for cell in arrived(window.cells):
            total += cell.n
            fates[cause_of(cell.outcome, cell.reason)] += cell.n
        self._counts[window.series] = self._counts.get(window.series, 0.0) + total

    def _close(self, offset: int, minute: int) -> list[Alert]:
        counts, self._counts, self._minute = self._counts, {}, minute
        fates, self._fates = self._fates, defaultdict(lambda: defaultdict(int))
        alerts: list[Alert] = []
        for site, series in list(self._of_site.items()):
            alerts += self._close_site(offset, minute, site, counts, fates[site])
            for rule, watch in list(series.items()):
                if offset >= watch.next and minute > watch.minute:
                    alerts += self._step(watch, rule, f"{site}/", minute, counts)
                    watch.next = offset + 1
                    self._keep(site, rule, watch, minute)
        return sorted(alerts, key=lambda alert: (alert.series, alert.id))

    def _close_site(
        self, offset: int, minute: int, site: str, counts: dict[str, float], fates: dict[str, int]
    ) -> list[Alert]:
        watch = self._sites.get(site)
        if watch is None or offset < watch.next or minute <= watch.minute:
            return []
        mine = {rule: counts[f"{site}/{rule}"] for rule in self._of_site[site] if f"{site}/{rule}" in counts}
        alert = watch.close(minute, mine, fates, self._facts)
        if alert is not None and alert.state == "open" and minute - self._bundle_minute < BUNDLE_MINUTES:
            alert = msgspec.structs.replace(alert, cause=BUNDLE)
            watch.incidents.adopt(alert)
        watch.next = offset + 1
        if watch.fresh or self._is_due(_whole(site), minute):
            self._snapshots[_whole(site)] = encode_snapshot(watch.encode())
            watch.fresh = False
        return [] if alert is None else [alert]

    def _step(self, watch: Watch, rule: str, site: str, minute: int, counts: dict[str, float]) -> list[Alert]:
        facts, around = self._facts(rule), ALONE
        whole = self._sites.get(site[:-1])
        if whole is not None:
            around = whole.around(minute)
        if minute - self._bundle_minute < BUNDLE_MINUTES:
            around = msgspec.structs.replace(around, cause=BUNDLE)
        upstream = counts.get(site + facts.upstream) if facts.upstream else None
        return watch.step(Minute(minute, counts.get(site + rule, 0.0), upstream, around), facts)

    def _keep(self, site: str, rule: str, watch: Watch, minute: int) -> None:
        series = f"{site}/{rule}"
        idle = minute - watch.seen > self._policy.forget_minutes
        if idle and watch.incidents.open is None and watch.absent is None:
            del self._watched[series], self._of_site[site][rule]
            self._snapshots[series] = None
            if not self._of_site[site]:
                del self._of_site[site]
                if self._sites.pop(site, None) is not None:
                    self._snapshots[_whole(site)] = None
        elif watch.fresh or self._is_due(series, minute):
            self._snapshots[series] = encode_snapshot(watch.encode())
            watch.fresh = False

    def _is_due(self, series: str, minute: int) -> bool:
        every = self._policy.snapshot_minutes
        return minute % every == crc32(series.encode()) % every


def _whole(site: str) -> str:
    return f"{site}/{WHOLE}"


def _reconcile(watch: Watch | SiteWatch, told: Alert | None) -> None:
    if told is None and watch.incidents.open is None:
        return
    watch.incidents.adopt(told)
    watch.detector.policy.adopt(opened=told is not None)


def closings(minutes: Iterable[tuple[int, Iterable[Window]]]) -> Iterable[Closing]:
    """Windows by minute as the records ``metrics.windows`` would have: windows, then the end of the minute."""
    for minute, windows in minutes:
        found = list(windows)
        yield from found
        yield MinuteClosed(minute=minute, n=sum(arrivals(w.cells) for w in found), series=len(found))
