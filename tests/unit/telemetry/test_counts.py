"""Facets, producers, values, destinations, series and sources as Prometheus shows them."""

from __future__ import annotations

from math import inf

import msgspec
import pytest

from tamis.anomaly.count_detector import Judgement
from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.counts.sketch import sketch_of
from tamis.domain.tally import Facets, Tally
from tamis.metrics.windows import MINUTE_MS, WindowState
from tamis.records.alert import Alert
from tamis.records.batch import RawBatch
from tamis.records.metrics import Cell, MinuteClosed, Partial, SubjectsCell, Window, WindowCell
from tamis.telemetry.counts import CountsTelemetry
from tamis.telemetry.metrics import Telemetry, vocabulary
from tamis.telemetry.series import Shelf
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track
from tests.support.scrape import samples, value

WORDS = vocabulary("0.1.0", "intake", small_bundle())


class Clock:
    def __init__(self) -> None:
        self.ms = START

    def __call__(self) -> int:
        return self.ms


def test_a_batch_shows_by_facet_value_producer_and_destination() -> None:
    shown, consent = Telemetry(WORDS, "x.", Clock()), ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    library = {"library": {"name": "analytics.js", "version": "2.1.0"}}
    bodies = [track(), track("m-2", context={"campaign": {"medium": "email"}}), b'{"context":%s}']
    bodies[2] = msgspec.json.encode({"type": "track", "context": library})
    records = [StoredRecord(i, START + i, each) for i, each in enumerate(bodies)]
    batch = RawBatch("events.raw", 3, records, 0, len(records), START)
    shown.intake.decided(3, small_intake(consent).process(AuditLog("events.raw/3"), batch))
    found = samples(shown.registry)
    assert value(found, "tamis_stage_events_total", stage="intent", outcome="accepted") == 2
    assert value(found, "tamis_channel_events_total", channel="email", outcome="accepted") == 1
    assert value(found, "tamis_channel_events_total", channel="direct", outcome="accepted") == 1
    assert value(found, "tamis_device_events_total", device="-", outcome="accepted") == 2
    assert value(found, "tamis_rule_value_total", rule="newsletter_signup") == 10
    assert value(found, "tamis_records_sent_total", destination="hubspot") == 2
    producer = {"producer": "analytics.js/2.1.0", "reason": "missing_field"}
    assert value(found, "tamis_producer_quarantined_total", **producer) == 1
    assert value(found, "tamis_label_capped_total", label="producer") == 0


def test_producers_beyond_the_list_are_other_and_counted() -> None:
    shown = Telemetry(WORDS)
    counts = CountsTelemetry(Shelf(shown.registry, WORDS), most=2)
    for number, n in enumerate((9, 5, 3, 2)):
        counts.counted(refused(f"analytics.js/{number}.0", n))
    found = samples(shown.registry)
    assert value(found, "tamis_producer_quarantined_total", producer="other", reason="not_json") == 5
    assert value(found, "tamis_label_capped_total", label="producer") == 5
    counts.counted(refused("analytics.js/3.0", 100))
    found = samples(shown.registry)
    assert value(found, "tamis_producer_quarantined_total", producer="analytics.js/3.0", reason="not_json") == 100
    assert value(found, "tamis_producer_quarantined_total", producer="analytics.js/1.0", reason="not_json") is None


def refused(producer: str, n: int) -> Tally:
    tally = Tally()
    for _ in range(n):
        tally.add("-", "-", START, "invalid", "not_json", None, Facets(producer=producer))
    return tally


def window(series: str, minute: int, n: int, subjects: int) -> Window:
    cells = (WindowCell("accepted", "granted", n, 0.0),)
    return Window(series=series, minute=minute, cells=cells, subjects=sketch_of(i << 6 | 1 for i in range(subjects)))


def closed(minute: int, *windows: Window) -> list[Window | MinuteClosed]:
    return [*windows, MinuteClosed(minute=minute, n=0, series=len(windows))]


@pytest.fixture
def shown() -> Telemetry:
    return Telemetry(WORDS, "x.", Clock(), most=2)


def test_the_last_minute_of_the_most_frequent_series_is_shown(shown: Telemetry) -> None:
    state = WindowState()
    first = window("shop/newsletter_signup", 7, 5, 3)
    shown.windows.windows_closed(0, closed(7, first, window("shop/-", 7, 90, 8), window("-/-", 7, 2, 0)), state)
    found = samples(shown.registry)
    assert value(found, "tamis_series_events", site="shop", rule="newsletter_signup") == 5
    assert value(found, "tamis_series_subjects", site="shop", rule="newsletter_signup") == 3
    assert value(found, "tamis_series_events", site="-", rule="-") is None
    assert value(found, "tamis_label_capped_total", label="series") == 2
    shown.windows.windows_closed(0, closed(8, window("shop/-", 8, 80, 8)), state)
    found = samples(shown.registry)
    assert value(found, "tamis_series_events", site="shop", rule="newsletter_signup") == 0
    assert value(found, "tamis_series_events", site="shop", rule="-") == 80
    shown.edge("metrics").epoch(2, [("x.metrics.partials", 1)])
    assert value(samples(shown.registry), "tamis_series_events", site="shop", rule="-") is None


def test_each_source_partition_shows_how_far_it_is_behind() -> None:
    clock = Clock()
    shown, state = Telemetry(WORDS, "x.", clock), WindowState()
    for number, behind in ((0, 1_000), (1, 240_000)):
        cells = (Cell("shop/-", START // MINUTE_MS, "accepted", "granted", 1, 0.0),)
        seen = (SubjectsCell("shop/-", START // MINUTE_MS, b""),)
        state.apply(
            Partial(
                source=f"events.raw/{number}",
                sources=2,
                first=0,
                next=1,
                watermark=START - behind,
                cells=cells,
                subjects=seen,
            )
        )
    shown.windows.windows_closed(0, state.close(), state)
    lag = "tamis_source_watermark_lag_seconds"
    assert value(samples(shown.registry), lag, topic="events.raw", partition="1") == 240
    clock.ms += 60_000
    assert value(samples(shown.registry), lag, topic="events.raw", partition="0") == 61
    shown.edge("metrics").epoch(2, [])
    assert value(samples(shown.registry), lag, topic="events.raw", partition="0") is None


def test_an_open_incident_shows_its_age_beside_its_sla() -> None:
    clock = Clock()
    shown = Telemetry(WORDS, "x.", clock)
    alert = Alert(
        id="i", state="open", series="shop/newsletter_signup", kind="drop", severity="page", opened_at=START - 60_000,
        detected_at=START, minute=1, observed=0.0, expected=9.0, low=5.0, high=12.0, score=0.9, owner="growth",
        sla="4h",
    )  # fmt: skip
    place = {"site": "shop", "rule": "newsletter_signup", "owner": "growth"}
    shown.incidents.alerts_written(0, [alert])
    clock.ms += 30_000
    found = samples(shown.registry)
    assert value(found, "tamis_incident_open_seconds", **place) == 90
    assert value(found, "tamis_incident_sla_seconds", **place) == 14_400
    shown.incidents.alerts_written(0, [msgspec.structs.replace(alert, state="updated", sla="soon")])
    assert value(samples(shown.registry), "tamis_incident_sla_seconds", **place) is None
    shown.incidents.alerts_written(0, [msgspec.structs.replace(alert, state="closed")])
    assert value(samples(shown.registry), "tamis_incident_open_seconds", **place) is None


def test_an_incident_of_a_whole_site_keeps_its_name(shown: Telemetry) -> None:
    alert = Alert(
        id="s", state="open", series="shop/*", kind="silent", severity="page", opened_at=START, detected_at=START,
        minute=1, observed=0.0, expected=90.0, low=50.0, high=None, score=0.9, owner="growth", sla="4h", channel="site",
    )  # fmt: skip
    shown.incidents.alerts_written(0, [alert])
    found = samples(shown.registry)
    labels = {"site": "shop", "rule": "*", "owner": "growth"}
    assert value(found, "tamis_incident", **labels, kind="silent", severity="page") == 1
    assert value(found, "tamis_incident_sla_seconds", **labels) == 14_400


def test_the_band_of_the_most_frequent_series_is_shown(shown: Telemetry) -> None:
    usual = Judgement(score=0.1, observed=8.0, expected=9.0, low=5.0, high=12.0)
    unknown = Judgement(high=inf)
    low = Judgement(score=0.1, observed=8.0, expected=9.0, low=5.0, high=inf)
    bands = [("shop/newsletter_signup", usual), ("shop/-", unknown), ("other/-", low), ("-/-", usual)]
    shown.incidents.series_judged(0, bands)
    place = {"site": "shop", "rule": "newsletter_signup"}
    found = samples(shown.registry)
    for name, wanted in (("expected_events", 9), ("low_events", 5), ("high_events", 12), ("score", 0.1)):
        assert value(found, f"tamis_series_{name}", **place) == wanted
    assert value(found, "tamis_series_score", site="shop", rule="-") is None
    assert value(found, "tamis_series_score", site="-", rule="-") is None
    assert value(found, "tamis_series_low_events", site="other", rule="-") == 5
    assert value(found, "tamis_series_high_events", site="other", rule="-") is None
    shown.edge("anomaly").epoch(2, [("x.metrics.windows", 1)])
    assert value(samples(shown.registry), "tamis_series_score", **place) is None
