"""The days before the demo: the same traffic as the demo itself, minute by minute."""

from collections import Counter
from functools import cache

import pytest

from tamis.anomaly.count_detector import CountDetector
from tamis.demo.generator import EVENTS, Traffic
from tamis.demo.traffic import captured
from tamis.demo.traffic.history import captured_series, history_windows
from tamis.demo.traffic.plan import DAY_MINUTES, MINUTE_MS, Plan, plan_for
from tamis.domain.bundle import Bundle
from tamis.domain.event import Event, Invalid
from tamis.domain.sites import site_of
from tamis.domain.validate import check_time
from tamis.envelopes.decoder import Decoder
from tamis.records.metrics import Window
from tests.support.bundles import reference_bundle

WANTED = 18_000
Counts = dict[str, Counter[int]]


def plan(*, fault: bool) -> Plan:
    return plan_for(WANTED, fault=fault)


@cache
def history() -> dict[int, list[Window]]:
    return dict(history_windows(plan(fault=False), days=3))


@cache
def past() -> Counts:
    counts: Counts = {}
    for minute, windows in history().items():
        for window in windows:
            counts.setdefault(window.series, Counter())[minute] = sum(cell.n for cell in window.cells)
    return counts


@cache
def live(*, fault: bool) -> Counts:
    bundle, decoder = reference_bundle(), Decoder(b"k" * 32)
    counts: Counts = {}
    for record in Traffic(plan(fault=fault)).records():
        if record.topic != EVENTS:
            continue
        found = decoder.decode(record.value, (), record.at_ms)
        for entry in [found] if isinstance(found, Invalid) else found:
            if isinstance(entry, Invalid) or check_time(entry, record.at_ms) is not None:
                series = "-/-"
            else:
                series = _series(entry, bundle)
            counts.setdefault(series, Counter())[record.at_ms // MINUTE_MS] += 1
    return counts


def _series(event: Event, bundle: Bundle) -> str:
    matched = bundle.rules.match(event)
    return f"{site_of(event, bundle.policy.sites)}/{matched.rule.id if matched is not None else '-'}"


def test_it_covers_every_minute_up_to_the_start_and_repeats() -> None:
    first = plan(fault=False).start_ms // MINUTE_MS - 3 * DAY_MINUTES
    assert list(history()) == list(range(first, first + 3 * DAY_MINUTES))
    again = dict(history_windows(plan(fault=False), days=1))
    assert again == dict(history_windows(plan(fault=False), days=1))


def test_captured_requests_have_the_series_the_rules_give_them() -> None:
    bundle, decoder, found = reference_bundle(), Decoder(b"k" * 32), []
    for request in captured.load():
        entries = decoder.decode(request.body.encode(), (), 0)
        assert isinstance(entries, list)
        found.append([_series(entry, bundle) for entry in entries if isinstance(entry, Event)])
    assert captured_series() == found


def test_a_healthy_run_continues_its_history() -> None:
    start, minutes = plan(fault=False).start_ms // MINUTE_MS, plan(fault=False).minutes
    for series, counts in live(fault=False).items():
        now = sum(counts.values()) / minutes
        before = sum(past().get(series, Counter())[start - 180 + k] for k in range(180)) / 180
        assert now == pytest.approx(before, rel=0.25, abs=1.0), series
    assert set(past()) >= {series for series, counts in live(fault=False).items() if counts.total() > 20}


def alarms(*, fault: bool) -> dict[str, list[int]]:
    start = plan(fault=fault).start_ms // MINUTE_MS
    found: dict[str, list[int]] = {}
    for series, counts in live(fault=fault).items():
        detector, before = CountDetector(), past().get(series, Counter())
        for minute in history():
            detector.observe(minute, before[minute])
        for minute in range(start, start + plan(fault=fault).minutes):
            detector.observe(minute, counts[minute])
            if detector.alarmed:
                found.setdefault(series, []).append(minute)
    return found


def test_the_detector_stays_calm_on_a_healthy_run() -> None:
    assert alarms(fault=False) == {}


def test_the_detector_finds_the_fault_in_minutes_and_sees_the_repair() -> None:
    broken = plan(fault=True).fault
    assert broken is not None
    ((series, minutes),) = alarms(fault=True).items()
    assert series == "shop/newsletter_signup"
    assert 0 <= minutes[0] - broken.begins_ms // MINUTE_MS <= 5
    assert 0 < minutes[-1] - broken.ends_ms // MINUTE_MS <= 9
