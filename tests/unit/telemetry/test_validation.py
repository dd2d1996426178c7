"""Violations and bots as series: a bounded number of producers has a label value of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from tamis.domain.noted import Noted
from tamis.telemetry.series import Shelf, Vocabulary
from tamis.telemetry.validation import MOST_CANDIDATES, MOST_PRODUCERS, OWN_AFTER, ValidationTelemetry


def made() -> tuple[ValidationTelemetry, CollectorRegistry]:
    registry = CollectorRegistry()
    words = Vocabulary(rule=frozenset(["-", "sign_up"]), site=frozenset(["-", "shop"]))
    return ValidationTelemetry(Shelf(registry, words)), registry


def noted(producer: str) -> Noted:
    return Noted("", "late", "warning", producer, "shop")


def value(registry: CollectorRegistry, producer: str) -> float | None:
    labels = {"rule": "-", "violation": "late", "severity": "warning", "producer": producer, "site": "shop"}
    return registry.get_sample_value("tamis_violations_total", labels)


def test_a_producer_gets_a_value_of_its_own_once_it_violates_often() -> None:
    telemetry, registry = made()
    telemetry.decided({noted("py/1.0"): OWN_AFTER - 1}, {})
    assert (value(registry, "py/1.0"), value(registry, "other")) == (None, OWN_AFTER - 1)
    telemetry.decided({noted("py/1.0"): 3}, {})
    assert (value(registry, "py/1.0"), value(registry, "other")) == (3, OWN_AFTER - 1)


def test_no_sender_makes_series_at_will() -> None:
    telemetry, registry = made()
    for number in range(MOST_PRODUCERS * 3):
        telemetry.decided({noted(f"py/{number}.0"): OWN_AFTER}, {})
    for number in range(MOST_CANDIDATES * 3):
        telemetry.decided({noted(f"js/{number}.1"): 1}, {})
    family = next(each for each in registry.collect() if each.name == "tamis_violations")
    assert len({sample.labels["producer"] for sample in family.samples}) == MOST_PRODUCERS + 1


def test_the_table_of_candidates_is_bounded() -> None:
    telemetry, _ = made()
    for number in range(MOST_CANDIDATES * 3):
        telemetry.decided({noted(f"js/{number}.1"): 1}, {})
    assert len(telemetry._candidates) <= MOST_CANDIDATES


def test_bots_are_counted_by_what_follows() -> None:
    telemetry, registry = made()
    telemetry.decided({}, {("crawler", True): 2, ("declared", False): 1})
    assert registry.get_sample_value("tamis_bot_events_total", {"bot": "crawler", "action": "deny"}) == 2
    assert registry.get_sample_value("tamis_bot_events_total", {"bot": "declared", "action": "mark"}) == 1
