"""A real Prometheus scrapes what processes show: every query of the dashboards has an answer, and alerts fire."""

from __future__ import annotations

import math
import time
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec
import pytest

from deploy.grafana.build import INCIDENTS, queries
from tamis.anomaly.count_detector import Judgement
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.note import Signature
from tamis.domain.audit.requests import ErasureReceipt
from tamis.domain.audit.witness import Cosigned
from tamis.domain.consent.folding import Folded
from tamis.domain.consent.model import Status
from tamis.domain.counts.sketch import sketch_of
from tamis.domain.rules import RuleSet
from tamis.domain.tagging_error import Answered, report
from tamis.domain.tally import Tally
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.alert import Alert
from tamis.records.batch import Emissions, RawBatch
from tamis.records.metrics import Cell, Partial, SubjectsCell
from tamis.records.topics import Topic
from tamis.release import Released
from tamis.stores.sightings.memory import MemorySightings
from tamis.telemetry.endpoint import Endpoint
from tamis.telemetry.metrics import Telemetry, vocabulary, wall_clock
from tests.support.core import ConsentTable, StoredRecord, small_bundle, small_intake, track
from tests.support.patience import Deadline
from tests.support.prometheus import Prometheus, prometheus
from tests.support.requirements import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

LIMIT_S = 90.0


def _bodies(now: int, number: int) -> list[bytes]:
    """Events new and seen before; ``number`` tells one batch from the next."""
    at = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        track(f"m-1-{number}", timestamp=at),
        track(f"m-2-{number}", timestamp=at, anonymousId="device-2"),
        track(f"m-3-{number}", timestamp=at, event="Unknown Event"),
        track(f"m-1-{number}", timestamp=at),
        track(f"m-2-{number}", timestamp=at, anonymousId="device-3"),
        b"no json",
    ]


class Worker:
    """Calls the observers as the agents of a worker with all roles do."""

    def __init__(self) -> None:
        self.telemetry = Telemetry(vocabulary("0.1.0", "all", small_bundle()), "x.")
        consent = ConsentTable()
        consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
        self.intake, self.log = small_intake(consent), AuditLog("events.raw/0")
        candidate = msgspec.structs.replace(small_bundle(), hash="fedcba9876543210", rules=RuleSet(()))
        self.intake.shadow, self.known = small_intake(consent, candidate), MemorySightings(60)
        self.windows, self.minute = WindowState(), wall_clock() // MINUTE_MS - 100
        self.age = self.telemetry.age(60.0)
        self.offset = 0
        for role, topics in {"intake": ["x.events.raw"], "consent": ["x.consent.raw", "x.consent.changes"],
                             "release": ["x.events.held", "x.events.held.last"],
                             "metrics": ["x.metrics.partials"], "anomaly": ["x.metrics.windows"]}.items():  # fmt: skip
            self.telemetry.edge(role).epoch(1, [(topic, 0) for topic in topics])
        self.telemetry.incidents.alerts_written(0, [_alert()])
        self.telemetry.review.reported(report([Answered("newsletter_signup", 200, ""), Answered("", 100)], 0.05))

    def step(self) -> None:
        """One batch of everything."""
        now = wall_clock()
        records = [StoredRecord(self.offset + i, now, body) for i, body in enumerate(_bodies(now, self.offset))]
        batch = RawBatch("events.raw", 0, records, self.offset, self.offset + len(records), now)
        self.offset += len(records)
        out = self.intake.process(self.log, batch, self.known)
        for minute, entries in out.fresh.items():
            self.known.add(minute, b"".join(entries))
        self.telemetry.intake.decided(0, out)
        self.telemetry.intake.remembered(0, 3, 4_096, 3_600)
        self.telemetry.rules.following(1)
        self.telemetry.rules.odd(0)
        self.telemetry.rules.switched()
        self._committed("intake", "x.events.raw", len(records))
        self.telemetry.consent.normalised(
            0, Counter({"changes": 2, "ignored/no_subject": 1, "invalid/not_json": 1}), now
        )
        self._committed("consent", "x.consent.raw", 3)
        self.telemetry.consent.folded(0, _folded())
        self.telemetry.consent.requested(0, Counter({"requests/erasure": 1}), now)
        self._committed("consent", "x.consent.changes", 2)
        self._decide_again(now)
        self._count()
        self._committed("metrics", "x.metrics.partials", 1)
        self.telemetry.incidents.alerts_written(0, [_alert("updated")])
        band = Judgement(score=0.9, observed=0.0, expected=9.0, low=5.0, high=12.0)
        self.telemetry.incidents.series_judged(0, [("shop/newsletter_signup", band)])
        self.age.sampled(3.0)

    def _decide_again(self, now: int) -> None:
        told = self.telemetry.release
        for topic in ("events.held", "events.held.last"):
            emissions = Emissions({}, [], None, Tally(), now)
            told.released(topic, 0, Released(emissions, {("released", "granted"): 1, ("denied", "undecided"): 1}))
            self._committed("release", f"x.{topic}", 1)

    def _committed(self, role: str, topic: str, n: int) -> None:
        edge = self.telemetry.edge(role)
        edge.batch_committed(topic, 0, n, 0.004, 0.03)
        edge.lag(topic, 0, 12)

    def _count(self) -> None:
        """Each call closes a minute."""
        series, minute = "shop/newsletter_signup", self.minute
        cells = (Cell(series, minute, "accepted", "granted", 1, 5.0, "intent", "email", "mobile"),)
        subjects = (SubjectsCell(series, minute, sketch_of([7])),)
        self.minute += 1
        self.windows.apply(
            Partial(
                source="events.raw/0", sources=1, first=0, next=1, watermark=self.minute * MINUTE_MS, cells=cells,
                subjects=subjects,
            )
        )  # fmt: skip
        self.telemetry.windows.windows_closed(0, self.windows.close(), self.windows)


def _folded() -> Folded:
    receipt = ErasureReceipt(at=1, request="r", records=1)
    return Folded(changed=2, told=Counter({"erasure": 2}), receipts=[receipt])


def _alert(state: str = "open") -> Alert:
    return Alert(
        id="i", state=state, series="shop/newsletter_signup", kind="drop", severity="page", opened_at=0, detected_at=0,
        minute=1, observed=0.0, expected=9.0, low=5.0, high=12.0, score=0.9, owner="growth", sla="4h",
    )  # fmt: skip


class Replica:
    """Tells its progress as ``tamis replica`` does."""

    def __init__(self) -> None:
        self.telemetry, self.applied = Telemetry(vocabulary("0.1.0", "replica")), 0

    def step(self) -> None:
        """One poll."""
        self.applied += 5
        seen = SimpleNamespace(
            applied=self.applied, changed=self.applied, behind=0, oldest_clock=wall_clock() - 2_000, enforced=(0.4,)
        )
        self.telemetry.replica.progress(seen)


class Sealer:
    """Tells its progress as ``tamis sealer`` does."""

    def __init__(self) -> None:
        self.telemetry = Telemetry(vocabulary("0.1.0", "sealer"))

    def step(self) -> None:
        """One round of everything."""
        for log in (Topic.AUDIT_LOG, Topic.AUDIT_CONTROL):
            self.telemetry.sealer.sealed(log.value, 5)
        self.telemetry.sealer.looked(3, 0.5, {"witness": 0})
        self.telemetry.sealer.taken("worker-key", 1)
        self.telemetry.outside.answered("w", Cosigned(Signature("w", b"\x00" * 4, b""), 1))
        self.telemetry.outside.unwitnessed(1.0)
        self.telemetry.outside.anchored(1)
        self.telemetry.outside.not_anchored("no answer")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Prometheus, Worker, list[Replica | Sealer]]]:
    require("prometheus")
    worker = Worker()
    others: list[Replica | Sealer] = [Replica(), Sealer()]
    endpoints = [Endpoint(each.telemetry.registry, "127.0.0.1", 0) for each in (worker, *others)]
    ports = dict(zip(("worker-1", "replica", "sealer"), (each.port for each in endpoints), strict=True))
    try:
        with prometheus(tmp_path, ports) as server:
            yield server, worker, others
    finally:
        for endpoint in endpoints:
            endpoint.stop()


def _until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = Deadline(LIMIT_S)
    while not condition():
        deadline.check(what())
        time.sleep(0.3)


def _answered(server: Prometheus, query: str) -> bool:
    found = server.query(query.replace("$__rate_interval", "30s"))
    return bool(found) and not any(math.isnan(float(sample["value"][1])) for sample in found)


Watched = tuple[Prometheus, Worker, list[Replica | Sealer]]


def test_every_query_of_the_dashboards_has_an_answer(watched: Watched) -> None:
    server, worker, others = watched
    waiting = {*queries(), INCIDENTS}

    def all_answered() -> bool:
        worker.step()
        for each in others:
            each.step()
        waiting.difference_update([query for query in waiting if _answered(server, query)])
        return not waiting

    _until(all_answered, lambda: f"no answer to {sorted(waiting)}")
    assert float(server.query("tamis:ledger_residual_events:max1h")[0]["value"][1]) == 0
    assert [sample["metric"]["owner"] for sample in server.query("tamis_incident")] == ["growth"]


def test_alerts_fire(watched: Watched) -> None:
    server, worker, _ = watched
    edge = worker.telemetry.edge("intake")

    def firing() -> set[str]:
        return {name for name, state in server.alerts().items() if state == "firing"}

    worker.step()
    edge.batch_committed("x.events.raw", 0, 9, 0.01, 0.01)
    edge.fatal("FaustError")
    wanted = {"TamisLedgerResidual", "TamisFatal", "TamisIncident", "TamisSlaMissed"}
    _until(lambda: wanted <= firing(), firing)
    edge.gate("x.events.raw", "consent_too_old")
    _until(lambda: server.alerts().get("TamisGateClosed") == "pending", server.alerts)
    assert firing() == wanted
