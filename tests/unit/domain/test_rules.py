"""Finding the rule of an event."""

from typing import Any

import pytest

from tamis.bundles.compile import compile_rule
from tamis.domain.rules import CompiledRule, Rule, RuleSet
from tests.support.bundles import event

FIXED = {"version": 1, "owner": "growth", "sla": "4h", "stage": "intent", "destinations": ["clean"]}
PRO = {"path": "properties.plan", "eq": "pro"}


def rule(name: str, match: Any, **more: Any) -> CompiledRule:
    return compile_rule({**FIXED, "id": name, "match": match, **more})


RULES = RuleSet(
    (
        rule("off", {"events": ["Quote"]}, mode="off"),
        rule("shadow", {"events": ["Quote"]}, mode="shadow"),
        rule("quote_pro", {"events": ["Quote"], "when": PRO}),
        rule("pro_page", {"kinds": ["page"], "when": PRO}),
        rule("quote", [{"events": ["Quote", "quote"]}, {"events": ["Form"], "kinds": ["identify"]}]),
        rule("page", {"kinds": ["page"]}),
    )
)


@pytest.mark.parametrize(
    ("name", "kind", "plan", "found"),
    [
        ("Quote", "track", "pro", "quote_pro"),
        ("Quote", "track", "team", "quote"),
        ("quote", "track", "pro", "quote"),
        ("Quote", "page", "pro", "quote_pro"),
        ("Quote", "page", "team", "quote"),
        ("Pricing", "page", "pro", "pro_page"),
        ("Pricing", "page", "team", "page"),
        ("Form", "identify", "", "quote"),
        ("Form", "track", "", None),
        ("QUOTE", "track", "pro", None),
        ("Other", "track", "pro", None),
    ],
)
def test_first_active_rule_wins(name: str, kind: str, plan: str, found: str | None) -> None:
    match = RULES.match(event(name, kind, {"plan": plan}))
    assert (match.rule.id if match else None) == found


def test_the_index_agrees_with_trying_every_rule() -> None:
    for name in ("Quote", "quote", "Form", "Pricing", "Other"):
        for kind in ("track", "page", "identify"):
            for plan in ("pro", "team"):
                seen = event(name, kind, {"plan": plan})
                active = (c for c in RULES.rules if c.rule.mode == "active")
                assert RULES.match(seen) is next((c for c in active if c.matches(seen)), None)


def test_a_rule_without_triggers_goes_by_its_event_names() -> None:
    plain = Rule(
        id="r", version=1, owner="o", sla="1h", stage="intent", events=("A",), destinations=(),
    )  # fmt: skip
    rules = RuleSet((CompiledRule(plain, lambda e: e.properties.get("ok") is True, lambda _: None),))
    assert rules.match(event("A", properties={"ok": True})) is not None
    assert rules.match(event("A")) is None
    assert rules.match(event("B", properties={"ok": True})) is None


def test_rule_facts() -> None:
    match = [{"events": ["A", "B"]}, {"events": ["B", "C"]}]
    compiled = rule("r", match, expected_by="none", upstream="page", weight=1)
    assert compiled.rule.events == ("A", "B", "C")
    assert (compiled.rule.expected_by, compiled.rule.upstream, compiled.rule.weight) == ("", "page", 1.0)
    assert rule("r", {"kinds": ["page"]}, expected_by="10:00").rule.expected_by == "10:00"
