"""Tagging and field selection, a call at a time: 100 rules, six fields, beside a bare loop that builds a dict.

Prints a table and, on the last line, JSON; CPU time of one process, best of several runs, µs per event.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from tamis.bundles.compile import compile_rule
from tamis.domain.event import Event
from tamis.domain.minimise.projection import Field, compile_projection
from tamis.domain.paths import required_path
from tamis.domain.rules import RuleSet

RULES = 100
EVENTS = 20_000
RUNS = 7


def main() -> None:
    """Measure and print."""
    events = [_event(number) for number in range(EVENTS)]
    rules = RuleSet(tuple(compile_rule(_rule(number)) for number in range(RULES)))
    found = {
        "reference: copy six values into a dict": _best(_copy, events),
        f"match, {RULES} rules": _best(rules.match, events),
        "six fields kept": _best(compile_projection(_kept()), events),
        "four kept, an address and a URL generalised": _best(compile_projection(_mixed()), events),
    }
    for name, micros in found.items():
        print(f"{name:<46}{micros:8.3f} µs")
    print(json.dumps({"unit": "us_per_event", **{name: round(micros, 3) for name, micros in found.items()}}))


def _best(call: Callable[[Event], Any], events: list[Event]) -> float:
    spans = []
    for _ in range(RUNS):
        start = time.process_time_ns()
        for event in events:
            call(event)
        spans.append(time.process_time_ns() - start)
    return min(spans) / len(events) / 1000


def _copy(event: Event) -> dict[str, Any]:
    own, campaign = event.properties, event.context["campaign"]
    return {
        "plan": own.get("plan"),
        "currency": own.get("currency"),
        "sku": own.get("sku"),
        "amount": own.get("value"),
        "source": campaign.get("source"),
        "medium": campaign.get("medium"),
    }


def _event(number: int) -> Event:
    properties = {"plan": "team", "value": number / 8, "currency": "EUR", "sku": f"A-{number}", "percent": number % 100}
    page = {
        "url": f"https://shop.example.test/p/{number % 500}?utm_source=mail&n={number}",
        "path": f"/p/{number % 500}",
    }
    context = {
        "ip": f"203.0.113.{number % 256}",
        "page": page,
        "campaign": {"source": "spring_mail", "medium": "email"},
    }
    name = f"Event {number % (RULES // 2)}"
    return Event(f"m{number}", "track", name, number, number, "a", None, properties, context, None, "segment")


def _rule(number: int) -> dict[str, Any]:
    """Two rules a name, the first with a condition that holds for a quarter of the events."""
    when: dict[str, Any] = {
        "all": [{"path": "properties.percent", "ge": 75}, {"path": "properties.plan", "eq": "team"}]
    }
    match = {"events": [f"Event {number % (RULES // 2)}"]} | ({"when": when} if number < RULES // 2 else {})
    fixed = {"version": 1, "owner": "growth", "sla": "4h", "stage": "intent", "destinations": ["clean"]}
    return {"id": f"rule_{number}", "match": match, **fixed}


def _kept() -> list[Field]:
    paths = {
        "plan": "properties.plan",
        "currency": "properties.currency",
        "sku": "properties.sku",
        "amount": "properties.value",
        "source": "context.campaign.source",
        "medium": "context.campaign.medium",
    }
    return [Field(name, required_path(path), "keep") for name, path in paths.items()]


def _mixed() -> list[Field]:
    coarse = {"network": ("context.ip", "ip"), "page": ("context.page.url", "url")}
    return _kept()[:4] + [
        Field(name, required_path(path), "generalise", {"as": kind}) for name, (path, kind) in coarse.items()
    ]


if __name__ == "__main__":
    main()
