"""Inline consent in both vendors' forms; what cannot be read denies everything."""

from typing import Any

import pytest

from tamis.domain.event import InlineConsent
from tamis.envelopes.fields import stricter
from tamis.envelopes.rudderstack import consent_management
from tamis.envelopes.segment import category_preferences

MALFORMED = InlineConsent({}, malformed=True)


def test_segment_choices_are_yes_only_when_true() -> None:
    signal = {"categoryPreferences": {"A": True, "B": False, "C": "true", "D": 1, "E": None}}
    assert category_preferences(signal) == InlineConsent({"A": True, "B": False, "C": False, "D": False, "E": False})


@pytest.mark.parametrize("signal", [{}, [], "yes", 1, {"categoryPreferences": None}, {"categoryPreferences": ["A"]}])
def test_segment_malformed(signal: Any) -> None:
    assert category_preferences(signal) == MALFORMED


def test_rudderstack_lists() -> None:
    signal = {"provider": "oneTrust", "allowedConsentIds": ["A", "B"], "deniedConsentIds": ["B", "C"]}
    assert consent_management(signal) == InlineConsent({"A": True, "B": False, "C": False})
    assert consent_management({"allowedConsentIds": ["A"]}) == InlineConsent({"A": True})
    assert consent_management({"deniedConsentIds": []}) == InlineConsent({})


@pytest.mark.parametrize(
    "signal",
    [
        {}, [], "yes", True, {"provider": "oneTrust"}, {"allowedConsentIds": "A"}, {"allowedConsentIds": {"A": True}},
        {"allowedConsentIds": ["A"], "deniedConsentIds": None}, {"allowedConsentIds": [1]},
        {"deniedConsentIds": [["A"]]},
    ],
)  # fmt: skip
def test_rudderstack_malformed(signal: Any) -> None:
    assert consent_management(signal) == MALFORMED


def test_of_two_signals_the_no_wins() -> None:
    one, other = InlineConsent({"A": True, "B": True}), InlineConsent({"B": False, "C": True})
    assert stricter(one, other) == stricter(other, one) == InlineConsent({"A": True, "B": False, "C": True})
    assert stricter(one, MALFORMED).malformed
