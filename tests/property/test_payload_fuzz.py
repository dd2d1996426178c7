"""Consent payloads and events that were cut or spoilt let out no more than their originals (long run: make chaos)."""

from itertools import islice
from random import Random

import pytest

from tamis.consent_sources.registry import SOURCES
from tests.support.damage import WAYS, spoil
from tests.support.payload_fuzz import consent_cases, consents_widened, event_cases, events_widened, statements

COUNT = 1_500


@pytest.mark.parametrize("seed", [1, 2])
def test_a_damaged_consent_payload_permits_no_more(seed: int) -> None:
    assert list(islice(consents_widened(seed, COUNT), 5)) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_damaged_event_goes_no_further(seed: int) -> None:
    assert list(islice(events_widened(seed, COUNT), 5)) == []


def test_there_is_something_to_lose() -> None:
    """Every consent source and nearly every vendor is there, with a yes and a no."""
    sources = {each.source for _, case in consent_cases() for each in statements(case.body)}
    assert sources >= {source.id for source in SOURCES} | {"trustarc"}
    assert sum(bool(case.pairs) for _, case in consent_cases()) > len(consent_cases()) - 4
    assert all(len(case.pairs) < 20 for _, case in consent_cases())
    assert sum(bool(case.pairs) for _, case in event_cases()) > len(event_cases()) // 2


def test_a_judge_that_lets_through_is_found_out() -> None:
    """The fuzz itself: a payload with its no turned into a yes counts as wider."""
    (case,) = (case for name, case in consent_cases() if name == "canonical")
    turned = case.body.replace(b'"denied"', b'"granted"')
    assert case.permitted(statements(turned)) > case.pairs


def test_damage_is_the_same_for_the_same_seed() -> None:
    body = consent_cases()[0][1].body
    assert [way(body, Random(3)) for way in WAYS] == [way(body, Random(3)) for way in WAYS]
    assert spoil(body, Random(3)) == spoil(body, Random(3)) != body
