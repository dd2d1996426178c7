"""Consent strings that were cut or spoilt: never wider than the string they were made of."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.consent.inline import Finding, find
from tamis.domain.consent.regulation import Regulation, TcfReading
from tamis.domain.consent.strings.tcf_judgement import Vendor
from tamis.domain.event import InlineConsent

VECTORS = Path(__file__).parents[1] / "vectors" / "consent_strings"
PURPOSES = ("a", "b", "c")
TCF = {"a": (1,), "b": (1, 3, 4), "c": (7, 8)}
MODE = {"a": ("analytics_storage",), "b": ("ad_storage", "ad_user_data"), "c": ("ad_personalization",)}
OPT_OUTS = {"sale": ("a",), "targeted_advertising": ("b",), "sensitive": ("c",)}
VENDOR = Vendor(28, frozenset(range(1, 7)), frozenset((7, 8, 9, 10)), frozenset((2, 7)))
LAWS = tuple(
    Regulation(id=name, silence=silence, sole_source=sole, tcf=tcf, opt_outs=OPT_OUTS, consent_mode=MODE)
    for silence in (False, True)
    for sole in (False, True)
    for name, tcf in (
        ("vendor", TcfReading(purposes=TCF, vendor=VENDOR)),
        ("publisher", TcfReading(purposes=TCF)),
        ("core", TcfReading(purposes=TCF, core=True)),
    )
)
STRINGS = (
    [("tcf", vector["tc_string"]) for vector in json.loads((VECTORS / "tcf_v2.json").read_text())]
    + [("gpp", vector["gpp_string"]) for vector in json.loads((VECTORS / "gpp.json").read_text())]
    + [("usp", "1YNN"), ("usp", "1YYN"), ("usp", "1---"), ("gcs", "G111"), ("gcs", "G100"), ("gcs", "G1--")]
    + [("gcd", "11r1r1r1r5"), ("gcd", "11p1u1r1t5"), ("gcd", "13l3l3l3l1")]
)
SPOILT = st.text(" !.~=\x00é%\n", min_size=1, max_size=3)


def allowed(finding: Finding, law: Regulation) -> set[str]:
    """Purposes that the signal leaves open: with a sole source its yes is needed, else its no forbids."""
    yes = finding.granted if law.sole_source else set(PURPOSES)
    return {purpose for purpose in yes if finding.refusal(purpose) is None}


def judged(kind: str, text: str, law: Regulation) -> set[str]:
    return allowed(find(InlineConsent({}, signals=((kind, text),)), law, {}), law)


@settings(max_examples=700, deadline=None)
@given(st.sampled_from(STRINGS), st.sampled_from(LAWS), st.floats(0, 1))
def test_a_string_that_was_cut_is_never_wider(string: tuple[str, str], law: Regulation, part: float) -> None:
    kind, text = string
    cut = text[: int(part * len(text))]
    assert judged(kind, cut, law) <= judged(kind, text, law)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(STRINGS), st.sampled_from(LAWS), st.floats(0, 1), SPOILT)
def test_a_string_with_foreign_characters_is_never_wider(
    string: tuple[str, str], law: Regulation, part: float, spoilt: str
) -> None:
    kind, text = string
    at = int(part * len(text))
    assert judged(kind, text[:at] + spoilt + text[at:], law) <= judged(kind, text, law)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STRINGS), st.sampled_from(LAWS), st.sampled_from(("tcf", "gpp", "usp", "gcs", "gcd")))
def test_a_string_in_another_ones_place_is_no_yes(string: tuple[str, str], law: Regulation, place: str) -> None:
    kind, text = string
    if place != kind:
        assert not judged(place, text, law) or not law.sole_source


@given(
    st.sampled_from(LAWS), st.sampled_from(("tcf", "gpp", "usp", "gcs", "gcd", "state", "npa")), st.text(max_size=40)
)
def test_any_text_says_no_more_than_silence(law: Regulation, kind: str, text: str) -> None:
    assert judged(kind, text, law) <= (set() if law.sole_source else set(PURPOSES))
