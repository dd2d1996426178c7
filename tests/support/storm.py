"""A whole system under faults: events keep coming while workers, replica and brokers are hurt, then all is read back.

Rules: the traffic's fates are known beforehand; events are fed as the faults go on, so that each finds work under way;
people who never act give and withdraw consent meanwhile, so that the consent tables are written under faults too; the
system has time to come to rest, then every worker is asked to end and everything is read back with ``read_committed``.
Process 0 is the replica, 1 the sealer, the others are workers with all roles; each is started again when it ends. In
the end everything must be sealed, under checkpoints that never contradicted each other.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tamis.kafka.loading import GroupProgress, Loader, Outgoing
from tamis.kafka.reader import read_topic, topic_ends
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.chaos import Chaos, ChaosReport, Workers
from tests.support.committed import last_offsets, shows, written
from tests.support.sealed_system import sealed_problems
from tests.support.system import System, now_ms
from tests.support.traffic import Traffic, canonical

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster
    from tests.support.soundness import Findings

PEOPLE = 100
STEP = 500
BYSTANDERS_PER_STEP = 5
HALF_S = 10.0  # in this time half of what is still due during a fault is written, so that there is always something
PARTITIONS = 8


@dataclass(frozen=True)
class Storm:
    """What to do.

    Attributes:
        events: records of `events.raw`; some hold several events.
        faults: letters, see `tests.support.chaos`.
        workers: worker processes at the beginning.
        seed: of traffic and faults.
        timeout_s: longest time for all of it.
        gap_s: least and most time between faults.
        options: settings that differ.
    """

    events: int
    faults: str
    workers: int = 2
    seed: int = 1
    timeout_s: float = 300.0
    gap_s: tuple[float, float] = (1.0, 4.0)
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Aftermath:
    """What a storm left behind.

    Attributes:
        report: how the faults went.
        found: everything read back.
        outcomes: events by outcome that should be there.
        sent: records by destination that should be there.
        bystanders: people who spoke during the storm.
        stall_s: longest time in which work was waiting and none was done.
        unheard: those whose consent is not as they said last.
        salts_twice: subjects that had two salts.
        sealed: what is wrong with the sealed evidence.
    """

    report: ChaosReport
    found: Findings
    outcomes: Counter[str]
    sent: Counter[str]
    stall_s: float
    bystanders: int
    unheard: int
    salts_twice: int
    sealed: list[str]

    def problems(self) -> list[str]:
        """What is wrong; empty when all is sound."""
        found, report = self.found, self.report
        checks = {
            "not everything was processed in time": not report.finished,
            f"{report.hung} processes did not end when asked to": report.hung,
            f"missing {found.missing}, doubled {found.doubled} events": found.missing or found.doubled,
            f"lost {found.lost}, repeated {found.repeated} records": found.lost or found.repeated,
            f"logs do not verify: {found.broken_logs}": found.broken_logs,
            f"leaves that are in no partial count: {found.uncounted}": found.uncounted,
            f"leaves that are in no window: {found.unbalanced}": found.unbalanced,
            f"{found.minutes_twice} windows written twice": found.minutes_twice,
            f"{found.opened_twice} incidents opened twice": found.opened_twice,
            f"outcomes are {dict(found.outcomes)}, should be {dict(self.outcomes)}": found.outcomes != self.outcomes,
            f"records sent are {dict(found.sent)}, should be {dict(self.sent)}": found.sent != self.sent,
            f"{self.unheard} of {self.bystanders} statements lost": self.unheard,
            f"{self.salts_twice} subjects with two salts": self.salts_twice,
            f"sealed evidence: {self.sealed[:5]}": self.sealed,
        }
        return [text for text, wrong in checks.items() if wrong]


class Feed:
    """Writes events and statements while the faults go on; a thread.

    Args:
        system: where to.
        storm: how many.
        applied: how many faults have happened so far.
    """

    def __init__(self, system: System, storm: Storm, applied: list[str]) -> None:
        self.outcomes, self.sent, self.bystanders = Counter[str](), Counter[str](), dict[str, str]()
        self.traffic = Traffic(PEOPLE, now_ms(), storm.seed)
        self.fault: Exception | None = None
        self.written = 0
        self._system, self._storm, self._applied = system, storm, applied
        self._thread = threading.Thread(target=self._guarded, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def finished(self) -> bool:
        """Whether everything is written."""
        if self.fault is not None:
            raise self.fault
        return self._thread.ident is not None and not self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as fault:  # noqa: BLE001 - raised again by `finished`
            self.fault = fault

    def _run(self) -> None:
        moved, seen = time.monotonic(), 0
        with Loader(self._system.settings.kafka) as loader:
            for written, (value, fates) in enumerate(self.traffic.events(self._storm.events)):
                self.outcomes.update(fate.outcome for fate in fates)
                self.sent.update(name for fate in fates for name in fate.sent_to)
                loader.put(self._system.topic(Topic.EVENTS_RAW), Outgoing(written % PARTITIONS, None, value))
                if (written + 1) % STEP:
                    continue
                self._speak(loader, (written + 1) // STEP)
                loader.flush()
                self.written = written + 1
                while self.written > self._due(seen, time.monotonic() - moved):
                    time.sleep(0.05)
                    if len(self._applied) > seen:
                        seen, moved = len(self._applied), time.monotonic()

    def _due(self, faults: int, since_s: float) -> float:
        """How many events should be written by now: their share of the faults that happened."""
        if faults >= len(self._storm.faults):
            return self._storm.events
        share = 1.0 - math.pow(0.5, since_s / HALF_S)
        return self._storm.events * (faults + share) / (len(self._storm.faults) + 1)

    def _speak(self, loader: Loader, step: int) -> None:
        """Some people agree, and those of the step before withdraw."""
        now = now_ms()
        for number in range(BYSTANDERS_PER_STEP):
            for spoken, status in ((step, "granted"), (step - 1, "withdrawn")):
                if spoken:
                    who = f"visitor-bystander-{spoken}-{number}"
                    self.bystanders[who] = status
                    statement = canonical(who, {"analytics": status}, now - (1_000 if status == "granted" else 0))
                    loader.put(self._system.topic(Topic.CONSENT_RAW), Outgoing(number % 4, None, statement))


class _Rest:
    """Whether the system has come to rest: all decided, all counted."""

    def __init__(self, system: System, feed: Feed) -> None:
        self._system, self._feed = system, feed
        self.decided: GroupProgress = system.progress()
        self.counted = system.progress("metrics", Topic.METRICS_PARTIALS)
        self._ends: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self._partials: dict[int, int] = {}
        self._last, self._moved, self.stall_s = 0, time.monotonic(), 0.0

    def progress(self) -> int:
        now, reached = time.monotonic(), sum(self.decided.committed() or [self._last])
        self.stall_s = max(self.stall_s, now - self._moved)
        if reached > self._last or reached >= self._feed.written:
            self._last, self._moved = reached, now
        return self._last

    def done(self) -> bool:
        if not self._feed.finished:
            return False
        if not self._ends:
            self._ends = topic_ends(self._system.settings.kafka, self._system.topic(Topic.EVENTS_RAW))
        if self.progress() < sum(self._ends.values()):
            return False
        kafka, partials = self._system.settings.kafka, self._system.topic(Topic.METRICS_PARTIALS)
        if not self._written:
            self._written = written(kafka, partials)
        if not self._partials and shows(kafka, partials, self._written):
            self._partials = last_offsets(kafka, partials)
        counted = self.counted.committed() or []
        known = bool(self._partials and counted)
        return known and all(counted[p] > offset for p, offset in self._partials.items())


def weather(kafka: KafkaCluster, folder: Path, storm: Storm) -> Aftermath:
    """Let a storm pass over a new system and read back what is left."""
    with System(kafka, folder, storm.options, raw_partitions=PARTITIONS) as system, contextlib.ExitStack() as stack:

        def command(number: int) -> list[str]:
            first = {0: ("replica",), 1: ("sealer",)}
            return system.command(*first.get(number, ("worker", "--role", "all")))

        applied: list[str] = []
        feed = Feed(system, storm, applied)
        system.load(Topic.CONSENT_RAW, feed.traffic.statements(4))
        rest = _Rest(system, feed)
        stack.callback(rest.decided.close)
        stack.callback(rest.counted.close)
        workers = Workers(command, folder / "workers.log")
        group, source = system.group("intake"), system.topic(Topic.EVENTS_RAW)
        chaos = Chaos(
            kafka, workers, storm.faults, rest.progress, rest.done, seed=storm.seed, gap_s=storm.gap_s, applied=applied,
            group=group, transactional_id=f"{group}-{source}-0",
        )  # fmt: skip
        stack.callback(workers.stop)
        feeding = threading.Thread(target=_feed_once_consent_is_known, args=(system, feed), daemon=True)
        feeding.start()
        report = chaos.run(storm.workers + 2, storm.timeout_s)
        feeding.join(10)
        unheard, twice = _heard(system, feed.bystanders)
        found = system.read_back()
        sealed = sealed_problems(system, found.leaves)
        return Aftermath(
            report, found, feed.outcomes, feed.sent, rest.stall_s, len(feed.bystanders), unheard, twice, sealed
        )


def _feed_once_consent_is_known(system: System, feed: Feed) -> None:
    try:
        system.wait_for_consent()
    except (AssertionError, TimeoutError) as error:
        feed.fault = error
    else:
        feed.start()


def _heard(system: System, bystanders: dict[str, str]) -> tuple[int, int]:
    """How many statements are not in `consent.state`, and how many subjects had two salts."""
    subject = keyring(load_parts(system.settings)).subjects.device
    status: dict[bytes, str] = {}
    salts: dict[bytes, set[str]] = {}
    for record in read_topic(system.settings.kafka, system.topic(Topic.CONSENT_STATE)):
        if record.key is None or not record.value or record.key.startswith(b"\x00"):
            continue
        value = json.loads(record.value)
        salts.setdefault(record.key, set()).add(value["salt"])
        status[record.key] = value["purposes"]["gdpr/analytics"][0]["status"]
    unheard = sum(status.get(subject(who).encode()) != said for who, said in bystanders.items())
    return unheard, sum(len(found) > 1 for found in salts.values())
