"""Each observer call shows in the right series, and partitions that moved away leave nothing behind."""

from __future__ import annotations

from collections import Counter
from math import inf
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.requests import ErasureReceipt
from tamis.domain.consent.folding import Folded
from tamis.domain.consent.model import Status
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.alert import Alert
from tamis.records.batch import Emissions, RawBatch
from tamis.records.metrics import Cell, Partial
from tamis.settings import SetupError, TelemetrySettings
from tamis.telemetry.catalogue import CATALOGUE
from tamis.telemetry.endpoint import Endpoint
from tamis.telemetry.metrics import Telemetry, vocabulary
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track
from tests.support.scrape import samples, scraped, value

if TYPE_CHECKING:
    from tamis.streaming.agents.anomaly import AnomalyObserver
    from tamis.streaming.agents.consent import ConsentObserver
    from tamis.streaming.agents.intake import IntakeObserver
    from tamis.streaming.agents.windows import WindowsObserver
    from tamis.streaming.transport.observer import TransportObserver


class Clock:
    def __init__(self) -> None:
        self.ms = START

    def __call__(self) -> int:
        return self.ms


def telemetry(clock: Clock | None = None) -> Telemetry:
    return Telemetry(vocabulary("0.1.0", "intake", small_bundle()), "x.", clock or Clock())


def emissions(*values: bytes) -> Emissions:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    records = [StoredRecord(i, START + i, each) for i, each in enumerate(values)]
    batch = RawBatch("events.raw", 3, records, 0, len(records), START)
    return small_intake(consent).process(AuditLog("events.raw/3"), batch)


def test_the_parts_fit_the_protocols() -> None:
    shown = telemetry()
    edge: TransportObserver = shown.edge("intake")
    intake: IntakeObserver = shown.intake
    consent: ConsentObserver = shown.consent
    windows: WindowsObserver = shown.windows
    anomaly: AnomalyObserver = shown.incidents
    assert shown.edge("intake") is edge
    assert (shown.intake, shown.consent, shown.windows, shown.incidents) == (intake, consent, windows, anomaly)


def test_events_by_outcome_reason_and_rule() -> None:
    shown = telemetry()
    out = emissions(track(), track("m-2", anonymousId="device-2"), b"zoe@example.test")
    shown.intake.decided(3, out)
    shown.edge("intake").batch_committed("x.events.raw", 3, 3, 0.01, 0.02)
    found = samples(shown.registry)
    assert value(found, "tamis_events_total", outcome="accepted", reason="granted") == 1
    assert value(found, "tamis_events_total", outcome="denied", reason="no_record") == 1
    assert value(found, "tamis_events_total", outcome="invalid", reason="not_json") == 1
    assert value(found, "tamis_quarantined_total", source="events.raw", reason="not_json") == 1
    assert value(found, "tamis_rule_events_total", rule="newsletter_signup", site="shop", outcome="accepted") == 1
    assert value(found, "tamis_rule_events_total", rule="-", site="-", outcome="invalid") == 1
    assert value(found, "tamis_audit_leaves_total") == 3
    assert value(found, "tamis_ledger_residual_events") == 0
    assert value(found, "tamis_batch_seconds_count", role="intake", topic="events.raw") == 1
    assert value(found, "tamis_records_total", role="intake", topic="events.raw") == 3


def test_nothing_of_a_sender_is_shown() -> None:
    shown = telemetry()
    shown.intake.decided(3, emissions(track(userId="zoe@example.test", event="zoe"), b"zoe@example.test"))
    assert not any("zoe" in part for name, labels in samples(shown.registry) for part in (name, str(labels)))


@pytest.mark.parametrize("lost", ["leaf", "outcome", "record"])
def test_the_residual_sees_what_disagrees(lost: str) -> None:
    shown, records = telemetry(), 2
    out = emissions(track(), track("m-2"))
    if lost == "leaf":
        out.leaves.pop()
    elif lost == "outcome":
        next(iter(out.tally.groups.values())).n -= 1
    else:
        records = 3
    shown.intake.decided(3, out)
    shown.edge("intake").batch_committed("x.events.raw", 3, records, 0.01, 0.02)
    residual = value(samples(shown.registry), "tamis_ledger_residual_events")
    assert residual is not None
    assert residual > 0


def test_lag_is_the_sum_over_owned_partitions() -> None:
    edge = (shown := telemetry()).edge("intake")
    edge.epoch(1, [("x.events.raw", 0), ("x.events.raw", 1)])
    edge.lag("x.events.raw", 0, 100)
    edge.lag("x.events.raw", 1, 30)
    edge.lag("x.events.raw", 0, 40)
    place = {"role": "intake", "topic": "events.raw"}
    assert value(samples(shown.registry), "tamis_lag_records", **place) == 70
    edge.epoch(2, [("x.events.raw", 1)])
    found = samples(shown.registry)
    assert value(found, "tamis_lag_records", **place) == 30
    assert value(found, "tamis_partitions", **place) == 1
    edge.epoch(3, [])
    found = samples(shown.registry)
    assert value(found, "tamis_lag_records", **place) == 0
    assert value(found, "tamis_partitions", **place) == 0
    assert value(found, "tamis_generations_total", role="intake") == 3


@pytest.mark.parametrize(("reason", "shown_as"), [("consent_too_old", "consent_too_old"), ("new one", "other")])
def test_one_gate_reason_at_a_time(reason: str, shown_as: str) -> None:
    edge = (shown := telemetry()).edge("intake")
    edge.gate("x.events.raw", "no_replica")
    edge.gate("x.events.raw", reason)
    found = samples(shown.registry)
    closed = {key for key, shut in found.items() if key[0] == "tamis_gate_closed" and shut}
    assert closed == {("tamis_gate_closed", frozenset({("reason", shown_as)}))}
    edge.gate("x.events.raw", None)
    assert not any(shut for key, shut in samples(shown.registry).items() if key[0] == "tamis_gate_closed")


def test_consent_age_grows_without_anybody_calling() -> None:
    clock = Clock()
    age = (shown := telemetry(clock)).age(60.0)
    assert value(samples(shown.registry), "tamis_consent_age_seconds") == inf
    age.sampled(4.0)
    clock.ms += 2_000
    assert value(samples(shown.registry), "tamis_consent_age_seconds") == 6
    age.sampled(inf)
    assert value(samples(shown.registry), "tamis_consent_age_seconds") == inf
    assert value(samples(shown.registry), "tamis_consent_age_bound_seconds") == 60


def test_consent_counts() -> None:
    shown, clock = telemetry(), START - 3_000
    counts = Counter({"changes": 4, "ignored/no_subject": 2, "invalid/not_json": 1})
    shown.consent.normalised(0, counts, clock)
    receipt = ErasureReceipt(at=1, request="r", records=1)
    shown.consent.folded(5, Folded(changed=3, told=Counter({"withdrawn": 4}), receipts=[receipt]))
    shown.consent.requested(0, Counter({"changes": 2, "requests/erasure": 2, "invalid/not_json": 1}), clock)
    found = samples(shown.registry)
    assert value(found, "tamis_consent_changes_total") == 4
    assert value(found, "tamis_consent_ignored_total", cause="no_subject") == 2
    assert value(found, "tamis_quarantined_total", source="consent.raw", reason="not_json") == 1
    assert value(found, "tamis_subject_records_total") == 3
    assert value(found, "tamis_consent_clock_lag_seconds") == 3
    assert value(found, "tamis_retractions_total", reason="withdrawn") == 4
    assert value(found, "tamis_erasures_total") == 1
    assert value(found, "tamis_privacy_requests_total", type="erasure") == 2
    assert value(found, "tamis_privacy_requests_total", type="refused") == 1
    assert value(found, "tamis_quarantined_total", source="privacy.requests", reason="not_json") == 1


def test_replica_progress() -> None:
    shown = telemetry()
    for applied, behind, oldest in ((10, 5, -1), (15, 0, START - 1_500)):
        seen = SimpleNamespace(applied=applied, changed=applied, behind=behind, oldest_clock=oldest, enforced=(0.4,))
        shown.replica.progress(seen)
    found = samples(shown.registry)
    assert value(found, "tamis_replica_applied_total") == 15
    assert value(found, "tamis_replica_behind_records") == 0
    assert value(found, "tamis_withdrawal_enforcement_seconds_count") == 2
    assert value(found, "tamis_replica_age_seconds") == 1.5


def test_minutes_and_the_slowest_source() -> None:
    clock, state = Clock(), WindowState()
    shown, minute = telemetry(clock), START // MINUTE_MS
    cells = (Cell("shop/lead", minute, "accepted", "granted", 5, 0.0),)
    for source, watermark in ((0, START + 90_000), (1, START + 61_000)):
        partial = Partial(
            source=f"events.raw/{source}", sources=2, first=0, next=1, watermark=watermark, cells=cells[source:]
        )
        state.apply(partial)
    clock.ms = START + 100_000
    shown.windows.windows_closed(0, state.close(), state)
    clock.ms += 1_000
    found = samples(shown.registry)
    assert value(found, "tamis_minutes_closed_total") == 1
    assert value(found, "tamis_windows_closed_total") == 1
    assert value(found, "tamis_window_events_total") == 5
    assert value(found, "tamis_watermark_lag_seconds") == 40
    assert value(found, "tamis_windows_behind_seconds") == 41
    shown.edge("metrics").epoch(2, [("x.metrics.partials", 1)])
    assert value(samples(shown.registry), "tamis_watermark_lag_seconds") == 0


def _alert(state: str, number: int = 1, severity: str = "page") -> Alert:
    return Alert(
        id=f"shop/newsletter_signup@{number}", state=state, series="shop/newsletter_signup", kind="drop",
        severity=severity, opened_at=START, detected_at=START, minute=1, observed=0.0, expected=9.0, low=5.0,
        high=12.0, score=0.9, owner="growth",
    )  # fmt: skip


def test_incidents_come_and_go() -> None:
    shown = telemetry()
    place = {"site": "shop", "rule": "newsletter_signup", "kind": "drop", "severity": "page", "owner": "growth"}
    assert value(samples(shown.registry), "tamis_incidents_open", severity="page") is None
    shown.incidents.alerts_written(0, [_alert("open"), _alert("open", 2, "ticket"), _alert("updated")])
    found = samples(shown.registry)
    assert value(found, "tamis_incidents_open", severity="page") == 1
    assert value(found, "tamis_incidents_open", severity="ticket") == 1
    assert value(found, "tamis_incident", **place) == 1
    shown.incidents.alerts_written(0, [_alert("closed")])
    found = samples(shown.registry)
    assert value(found, "tamis_incidents_open", severity="page") == 0
    assert value(found, "tamis_incident", **place) is None
    assert value(found, "tamis_alerts_total", state="closed") == 1
    shown.incidents.incidents_restored(1, [_alert("open", 3)])
    shown.edge("anomaly").epoch(2, [("x.metrics.windows", 1)])
    found = samples(shown.registry)
    assert value(found, "tamis_incidents_open", severity="page") == 1
    assert value(found, "tamis_incidents_open", severity="ticket") == 0


def test_the_endpoint_shows_the_registry_and_stops() -> None:
    shown = telemetry()
    shown.edge("intake").fatal("FaustError")
    endpoint = Endpoint(shown.registry, "127.0.0.1", 0)
    families = scraped(endpoint.port)
    assert {"tamis_worker_info", "tamis_fatal", "process_start_time_seconds"} <= families.keys()
    defined = {series.name.removesuffix("_total") for series in CATALOGUE}
    assert {name for name in families if not name.startswith("process_")} <= defined
    with pytest.raises(SetupError, match=f"telemetry.port: 127.0.0.1:{endpoint.port}"):
        telemetry().serve(TelemetrySettings(port=endpoint.port))
    endpoint.stop()
    with pytest.raises(URLError):
        scraped(endpoint.port)


def test_the_endpoint_is_off_by_default() -> None:
    shown = telemetry()
    assert shown.serve(TelemetrySettings()) is None
    shown.stop()


def test_two_processes_share_nothing() -> None:
    one, two = telemetry(), telemetry()
    one.edge("intake").fatal("FaustError")
    assert value(samples(one.registry), "tamis_fatal_total", kind="FaustError") == 1
    assert value(samples(two.registry), "tamis_fatal_total", kind="FaustError") is None
