"""What changes between two bundles, in words."""

import json
from typing import Any

from tamis.bundles.changes import changes
from tests.support.bundles import reference_bundle

SOURCE = reference_bundle().source


def edited(**parts: Any) -> bytes:
    return json.dumps({**json.loads(SOURCE), **parts}).encode()


def test_nothing() -> None:
    assert changes(SOURCE, SOURCE) == []


def test_everything_is_new_at_first() -> None:
    lines = changes(None, SOURCE)
    assert "+ rule newsletter_signup" in lines
    assert "+ destination hubspot" in lines
    assert any(line.startswith("policy: + purposes") for line in lines)


def test_rules_come_go_move_and_change() -> None:
    rules = json.loads(SOURCE)["rules"]
    first, second, *rest = rules
    second = {**second, "stage": "purchase", "weight": 1.0, "cap": {"per": "day", "most": 1}}
    del second["upstream"]
    assert changes(SOURCE, edited(rules=[second, *rest])) == [
        'rule pdf_download: stage "consideration" -> "purchase"',
        "rule pdf_download: weight 0.3 -> 1.0",
        'rule pdf_download: + cap {"per": "day", "most": 1}',
        "rule pdf_download: - upstream",
        "- rule newsletter_signup",
    ]
    [line] = changes(SOURCE, edited(rules=[*rest, first, rules[1]]))
    assert line.startswith("rules stand in another order: video_75, ")


def test_destinations_and_policy() -> None:
    whole = json.loads(SOURCE)
    whole["destinations"][0]["fields"]["extra"] = {"from": "properties.extra", "action": "keep"}
    whole["policy"]["purposes"]["marketing"]["max_age"] = "10d"
    assert changes(SOURCE, json.dumps(whole).encode()) == [
        'destination clean: + fields.extra {"from": "properties.extra", "action": "keep"}',
        'policy: purposes.marketing.max_age "180d" -> "10d"',
    ]


def test_true_is_not_one() -> None:
    whole = json.loads(SOURCE)
    whole["rules"][0]["value"] = True
    assert changes(SOURCE, json.dumps(whole).encode()) == ["rule newsletter_signup: value 2.5 -> true"]
