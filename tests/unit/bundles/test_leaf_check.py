"""What a leaf can become at most is reckoned from the configuration, and the reckoning is never too low."""

import json
from typing import Any

import pytest

from tamis.bundles.document import Document, top
from tamis.bundles.leaf_check import check_leaves
from tamis.domain.audit.leaf import FRAME_BYTES, MAX_LEAF_BYTES, LeafFrame
from tamis.domain.outcome import InvalidReason, Outcome, Reason

LONG = "p" * 38


def problems(rules: list[dict[str, Any]], destinations: list[dict[str, Any]], laws: int = 1) -> list[str]:
    def place(value: Any) -> Any:
        return top(Document("x.yaml", value, {}))

    policy = {"regulation": "law0", "regulations": {f"law{n}": {} for n in range(laws)}}
    found = check_leaves(list(place(rules).elements()), list(place(destinations).elements()), place(policy))
    return [problem.message for problem in found]


def destination(accepts: str, count: int) -> dict[str, Any]:
    return {"id": "clean", "accepts": accepts, "purposes": [f"{LONG}{n:02d}" for n in range(count)]}


def test_a_rule_whose_leaf_could_be_too_long_is_refused() -> None:
    rule = {"id": "signup", "destinations": ["clean"]}
    assert problems([rule], [destination("tagged", 3)]) == []
    (text,) = problems([rule], [destination("tagged", 20)])
    assert text.startswith("the audit entry of this rule could have")
    assert problems([rule], [destination("tagged", 3)], laws=9) != []


def test_events_without_a_rule_have_leaves_too() -> None:
    assert problems([], [destination("all", 3)]) == []
    (text,) = problems([], [destination("all", 20)])
    assert text.startswith("the audit entry of events without a rule could have")
    assert problems([], [destination("tagged", 20)]) == []


@pytest.mark.parametrize("reason", [max((*Reason, *InvalidReason), key=len)])
def test_the_frame_with_the_longest_of_everything_fits_its_allowance(reason: str) -> None:
    most, outcome = 2**53 - 1, max(Outcome, key=len)
    pid = f'"v1.audit.{"9" * 16}.{"x" * 22}"'
    facts = f'"facts":{{}},"inline":{{}},"out":"{outcome}","pid":{pid},"reg":"",'
    rule = f'"rev":{{"device":{most},"person":{most}}},"rule":"{"r" * 40}#1000000"'
    frame = LeafFrame("f" * 16, "events.held.last", 9_999)
    leaf = frame.leaf(most, "c" * 64, '"dest":{}', "e" * 32, facts, rule, most, 65_534, 2**63 - 1, most, reason)
    json.loads(leaf)
    assert len(leaf) <= FRAME_BYTES < MAX_LEAF_BYTES
