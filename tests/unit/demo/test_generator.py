"""The demo's traffic: the same again, in order, understood by the shipped rules, broken only where planned."""

from collections import Counter
from functools import cache

import orjson
import pytest

from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.demo.generator import CONSENT, EVENTS, TimedRecord, Traffic
from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.malformed import KINDS
from tamis.demo.traffic.plan import LEAST_FAULT_MINUTES, MINUTE_MS, Plan, plan_for
from tamis.demo.traffic.sites import SITES
from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.domain.sites import site_of
from tamis.domain.validate import check_time
from tamis.envelopes.decoder import Decoder
from tests.support.bundles import reference_bundle

EVENTS_WANTED = 15_000


@cache
def run(*, fault: bool) -> tuple[Plan, tuple[TimedRecord, ...]]:
    plan = plan_for(EVENTS_WANTED, fault=fault)
    return plan, tuple(Traffic(plan).records())


@cache
def entries(*, fault: bool) -> tuple[tuple[TimedRecord, Event | Invalid], ...]:
    decoder, found = Decoder(b"k" * 32), []
    for record in run(fault=fault)[1]:
        if record.topic == EVENTS:
            decoded = decoder.decode(record.value, (), record.at_ms)
            items = [decoded] if isinstance(decoded, Invalid) else decoded
            checked = [check_time(e, record.at_ms) or e if isinstance(e, Event) else e for e in items]
            assert len(checked) == record.events
            found += [(record, entry) for entry in checked]
    return tuple(found)


def tagged(site: str, rule: str, begins: int, ends: int, *, fault: bool) -> int:
    bundle, count = reference_bundle(), 0
    for _, entry in entries(fault=fault):
        if isinstance(entry, Event) and entry.occurred_at is not None and begins <= entry.occurred_at < ends:
            matched = bundle.rules.match(entry)
            count += matched is not None and matched.rule.id == rule and site_of(entry, bundle.policy.sites) == site
    return count


def test_the_same_plan_gives_the_same_records() -> None:
    plan = plan_for(2_000)
    assert list(Traffic(plan).records()) == list(Traffic(plan).records())
    other = list(Traffic(plan_for(2_000, seed=8)).records())
    assert other != list(Traffic(plan).records())


def test_records_come_in_order_and_only_consent_comes_before_the_start() -> None:
    plan, records = run(fault=True)
    assert [r.at_ms for r in records] == sorted(r.at_ms for r in records)
    assert records[-1].at_ms < plan.end_ms
    early = {record.topic for record in records if record.at_ms < plan.start_ms}
    assert early == {CONSENT}
    assert all(record.key for record in records)


def test_the_number_of_events_is_about_what_was_asked_for() -> None:
    assert sum(record.events for record in run(fault=True)[1]) == pytest.approx(EVENTS_WANTED, rel=0.1)


def test_every_rule_of_the_reference_configuration_fires_on_its_site() -> None:
    bundle = reference_bundle()
    fired: Counter[tuple[str, str]] = Counter()
    for _, entry in entries(fault=False):
        matched = bundle.rules.match(entry) if isinstance(entry, Event) else None
        if matched is not None and isinstance(entry, Event):
            fired[site_of(entry, bundle.policy.sites), matched.rule.id] += 1
    planned = {(site.host.partition(".")[0], c.rule) for site in SITES for c in site.conversions}
    planned |= {(site, rule) for site in ("shop", "law") for rule in ("page_viewed", "pricing_viewed")}
    assert planned <= set(fired)
    assert {rule for _, rule in planned} == {compiled.rule.id for compiled in bundle.rules.rules}


def test_malformed_bodies_get_the_reason_they_were_made_for() -> None:
    reasons = Counter(entry.reason for _, entry in entries(fault=False) if isinstance(entry, Invalid))
    share = reasons.total() / len(entries(fault=False))
    assert set(reasons) == {reason.value for reason, _, _ in KINDS}
    assert 0.005 < share < 0.03
    decoder, dice = Decoder(b"k" * 32), Dice(1)
    good = next(record.value for record, entry in entries(fault=False) if isinstance(entry, Event))
    for reason, make, _ in KINDS:
        if reason not in (InvalidReason.EMPTY, InvalidReason.FUTURE):
            found = decoder.decode(make(dice, _decoded(good), 0), (), 0)
            (invalid,) = found if isinstance(found, list) else (found,)
            assert isinstance(invalid, Invalid)
            assert invalid.reason == reason


def _decoded(value: bytes) -> dict[str, object]:
    loaded: dict[str, object] = orjson.loads(value)
    return loaded


def test_some_bodies_arrive_twice_some_late_and_some_are_captured() -> None:
    plan, records = run(fault=False)
    bodies = Counter(record.value for record in records if record.topic == EVENTS and record.value)
    assert sum(n - 1 for n in bodies.values()) > 0.005 * len(bodies)
    late = [
        record
        for record, entry in entries(fault=False)
        if isinstance(entry, Event) and entry.occurred_at and record.at_ms - entry.occurred_at > MINUTE_MS
    ]
    assert late
    assert {entry.vendor for _, entry in entries(fault=False) if isinstance(entry, Event)} == {"segment", "rudderstack"}
    assert any(record.events > 1 for record in records)
    assert plan.fault is None


def test_people_are_many_and_some_signed_in() -> None:
    events = [entry for _, entry in entries(fault=False) if isinstance(entry, Event)]
    assert len({event.anonymous_id for event in events}) > 1_500
    persons = {event.user_id for event in events} - {None}
    assert any("@" in person for person in persons if person)
    assert any(person.startswith("u-") for person in persons if person)
    assert any(event.anonymous_id is None and event.user_id is None for event in events)


def test_every_consent_record_is_understood() -> None:
    reader, plan = ConsentReader(), run(fault=False)[0]
    sources, changed = set(), 0
    for record in run(fault=False)[1]:
        if record.topic == CONSENT:
            found = reader.read(record.value)
            assert isinstance(found, list)
            (statement,) = found
            assert isinstance(statement, Statement)
            assert statement.effective_at is not None
            assert statement.effective_at <= record.at_ms
            sources.add(statement.source)
            changed += record.at_ms >= plan.start_ms
    assert sources == {"segment", "banner", "preference-center"}
    assert changed > 50


def test_the_fault_renames_one_rules_events_for_a_while() -> None:
    plan = run(fault=True)[0]
    assert plan.fault is not None
    begins, ends = plan.fault.begins_ms, plan.fault.ends_ms
    assert plan.start_ms < begins < ends < plan.end_ms
    lost = tagged("shop", "newsletter_signup", begins, ends, fault=True)
    usual = tagged("shop", "newsletter_signup", begins, ends, fault=False)
    assert lost <= 2  # captured bodies only
    assert usual > 8 * (ends - begins) // MINUTE_MS
    assert tagged("shop", "newsletter_signup", ends, plan.end_ms, fault=True) > 8 * (plan.end_ms - ends) // MINUTE_MS
    assert tagged("shop", "wishlist_add", begins, ends, fault=True) > 5 * (ends - begins) // MINUTE_MS


def test_short_runs_and_healthy_runs_have_no_fault() -> None:
    assert plan_for(2_000).fault is None
    assert plan_for(EVENTS_WANTED, fault=False).fault is None
    assert plan_for(10).minutes == 1
    assert plan_for(EVENTS_WANTED).minutes >= LEAST_FAULT_MINUTES
