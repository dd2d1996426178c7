"""Finding an event's rule: µs an event with 100 rules over a million events, beside a dict lookup in the same run.

The rules are of the kinds people write: most name their events alone, some look at properties with every operator, a
few go by the kind of call or alternatives; the events are what hits them: nine in ten planned, of ten properties each.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from typing import Any

from tamis.bundles.compile import compile_rule
from tamis.domain.event import Event
from tamis.domain.rules import CompiledRule, RuleSet

RULES = 100
EVENTS = 1_000_000
DISTINCT = 5_000
FIXED = {"version": 1, "owner": "o", "sla": "4h", "stage": "intent", "destinations": ["clean"]}
CONDITIONS: tuple[dict[str, Any] | None, ...] = (
    None, None, None, None, None,
    {"path": "properties.plan", "eq": "pro"},
    {"path": "properties.price", "ge": 50},
    {"all": [{"path": "properties.plan", "in": ["pro", "team"]}, {"path": "properties.price", "lt": 80}]},
    {"any": [{"path": "context.page.path", "prefix": "/p"}, {"path": "properties.file", "suffix": ".pdf"}]},
    {"not": {"path": "properties.internal", "eq": True}},
)  # fmt: skip


def rules() -> list[CompiledRule]:
    made = []
    for n in range(RULES):
        match: dict[str, Any] = {"events": [f"Event {n}", f"event_{n}"]}
        when = CONDITIONS[n % len(CONDITIONS)]
        if when:
            match["when"] = when
        if n % 25 == 24:
            match = {"kinds": ["page"], "when": {"path": "context.page.path", "matches": f"^/section-{n}/[a-z]+$"}}
        made.append(compile_rule({**FIXED, "id": f"rule_{n}", "match": match}))
    return made


def events() -> list[Event]:
    dice = random.Random(7)
    made = []
    for n in range(DISTINCT):
        kind = "page" if n % 10 == 0 else "track"
        name = "Home" if kind == "page" else f"Event {dice.randrange(110)}"
        properties = {
            "plan": dice.choice(["free", "pro", "team"]), "price": dice.randrange(100), "file": "a.pdf",
            "internal": dice.random() < 0.1, **{f"p{i}": i for i in range(6)},
        }  # fmt: skip
        context = {"page": {"path": dice.choice(["/", "/pricing", "/section-24/abc"])}}
        made.append(Event(f"m{n}", kind, name, 1, 1, "d", None, properties, context, None, "segment"))
    return made


def timed(work: Any, rounds: int) -> float:
    gc.collect()
    start = time.process_time()
    for _ in range(rounds):
        work()
    return time.process_time() - start


def main() -> None:
    rule_set, items = RuleSet(tuple(rules())), events()
    by_name = {f"Event {n}": n for n in range(RULES)}
    match, get = rule_set.match, by_name.get
    rounds = EVENTS // len(items)

    def matching() -> None:
        for event in items:
            match(event)

    def lookup() -> None:
        for event in items:
            get(event.name)

    one, other = min(timed(matching, rounds) for _ in range(3)), min(timed(lookup, rounds) for _ in range(3))
    hits = sum(match(event) is not None for event in items) / len(items)
    result = {
        "events": rounds * len(items), "rules": RULES, "matched": hits, "us_per_event": one / EVENTS * 1e6,
        "dict_lookup_us": other / EVENTS * 1e6, "ratio": one / other, "cpu_s_per_million": one,
    }  # fmt: skip
    sys.stdout.write(f"{'':<28}{'µs an event':>12}\n")
    sys.stdout.write(f"{f'{RULES} rules, {hits:.0%} matched':<28}{result['us_per_event']:>12.3f}\n")
    sys.stdout.write(f"{'dict lookup by name':<28}{result['dict_lookup_us']:>12.3f}\n")
    sys.stdout.write(f"{'ratio':<28}{result['ratio']:>12.1f}\n\n{json.dumps(result)}\n")


if __name__ == "__main__":
    main()
