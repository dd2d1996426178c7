"""Held events as series: what waits, what became of it, since when nobody looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.domain.tally import Tally
from tamis.records.batch import Emissions
from tamis.release import Released
from tamis.telemetry.metrics import Telemetry, vocabulary
from tests.support.core import START, ConsentTable, small_bundle, track
from tests.support.holding import hold
from tests.support.scrape import samples, value

if TYPE_CHECKING:
    from tamis.streaming.agents.release import ReleaseObserver

HELD, LAST = "events.held", "events.held.last"


def test_what_waits_what_became_of_it_and_since_when_nobody_looked() -> None:
    shown = Telemetry(vocabulary("0.1.0", "release", small_bundle()), "x.", lambda: START + 90_000)
    observer: ReleaseObserver = shown.release
    edge = shown.edge("release")
    edge.epoch(1, [(f"x.{HELD}", 0), (f"x.{HELD}", 1), (f"x.{LAST}", 0)])
    for topic, partition, waiting, watermark in (
        (HELD, 0, 5, START),
        (HELD, 1, 7, START + 30_000),
        (LAST, 0, 2, START),
    ):
        fates = {("released", "granted"): 3, ("forwarded", "no_choice"): 1}
        observer.released(topic, partition, Released(Emissions({}, [], None, Tally(), watermark), fates))
        edge.batch_committed(f"x.{topic}", partition, 4, 0.01, 0.02)
        edge.lag(f"x.{topic}", partition, waiting)
    found = samples(shown.registry)
    assert value(found, "tamis_held_pending_events", topic=HELD) == 12
    assert value(found, "tamis_held_pending_events", topic=LAST) == 2
    assert value(found, "tamis_held_decided_total", outcome="released", reason="granted") == 9
    assert value(found, "tamis_held_decided_total", outcome="forwarded", reason="no_choice") == 3
    assert value(found, "tamis_release_behind_seconds") == 90

    edge.epoch(2, [(f"x.{HELD}", 1)])
    found = samples(shown.registry)
    assert value(found, "tamis_held_pending_events", topic=HELD) == 7
    assert value(found, "tamis_held_pending_events", topic=LAST) == 0
    assert value(found, "tamis_release_behind_seconds") == 60


def test_announcements_of_first_sights_are_counted() -> None:
    shown = Telemetry(vocabulary("0.1.0", "intake", small_bundle()), "x.", lambda: START)
    out = hold(ConsentTable(), track(), track("m-2"), track("m-3", anonymousId="device-2"))
    shown.intake.decided(3, out)
    assert value(samples(shown.registry), "tamis_first_sights_total") == 2
