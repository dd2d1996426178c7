"""TC strings: every field comes back, segments in any order, and all that is refused, with its reason."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed
from tamis.domain.consent.strings.tcf import CACHED_CHARS, TcString, decode_tcf, forget_tcf
from tests.support.consent_strings import (
    OLD_DAY_S,
    Tc,
    core_bits,
    entries,
    number,
    segment_bits,
    tc_string,
    text_of,
    vendors,
)

FULL = Tc(
    features=frozenset({1, 12}), consents=frozenset({1, 24}), interests=frozenset({2, 7}), one_treatment=True,
    own_texts=True, vendor_consents=((1, 5), (28, 28)), vendor_interests=((9, 10),),
    restrictions=((7, 0, ((32, 34),)), (9, 2, ((50, 50), (60, 61)))), allowed=((3, 3),),
    publisher=(frozenset({1}), frozenset({9}), 3, frozenset({2}), frozenset({3})),
)  # fmt: skip
MARCH_S = 1_772_323_200


def _decoded(text: str) -> TcString:
    found = decode_tcf(text)
    assert isinstance(found, TcString), found
    return found


def _flaw(text: str) -> tuple[Flaw, str]:
    found = decode_tcf(text)
    assert isinstance(found, Malformed), found
    return found.flaw, found.part


@pytest.mark.parametrize("fill", [8, 24])
def test_every_field_comes_back(fill: int) -> None:
    found = _decoded(tc_string(FULL, fill))
    assert (found.created, found.last_updated, found.cmp_id, found.cmp_version) == (
        FULL.created_s * 1000, FULL.created_s * 1000, 300, 3,
    )  # fmt: skip
    assert (found.consent_screen, found.consent_language, found.vendor_list_version) == (1, "EN", 120)
    assert (found.policy_version, found.is_service_specific, found.use_non_standard_texts) == (5, True, True)
    assert (found.special_features, found.purpose_consents) == (0x801, 0x800001)
    assert (found.purpose_legitimate_interests, found.purpose_one_treatment) == (0x420000, True)
    assert (found.publisher_country, found.vendor_consents.spans()) == ("FR", [(1, 5), (28, 28)])
    assert found.vendor_legitimate_interests.spans() == [(9, 10)]
    assert [(r.purpose, r.type, r.vendors.spans()) for r in found.restrictions] == [
        (7, 0, [(32, 34)]), (9, 2, [(50, 50), (60, 61)]),
    ]  # fmt: skip
    assert found.disclosed is not None
    assert found.disclosed.spans() == [(1, 2000)]
    assert found.allowed is not None
    assert found.allowed.spans() == [(3, 3)]
    assert found.publisher is not None
    assert (found.publisher.consents, found.publisher.legitimate_interests) == (0x800000, 0x8000)
    assert (found.publisher.custom, found.publisher.custom_consents) == (3, 0b010)
    assert found.publisher.custom_legitimate_interests == 0b001


def test_segments_may_come_in_any_order() -> None:
    core, *others = tc_string(FULL).split(".")
    assert _decoded(".".join([core, *reversed(others)])) == _decoded(tc_string(FULL))


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", (Flaw.EMPTY, "")),
        ("C" * (MAX_CHARS + 1), (Flaw.TOO_LONG, "")),
        ("BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA", (Flaw.VERSION, "core")),
        (tc_string(Tc(version=1)), (Flaw.VERSION, "core")),
        (tc_string(Tc(version=3)), (Flaw.VERSION, "core")),
        (tc_string(Tc(language="E[")), (Flaw.LETTERS, "core")),
        (tc_string(Tc(country="{A")), (Flaw.LETTERS, "core")),
        (tc_string(Tc(vendor_consents=((5, 4),))), (Flaw.RANGE, "core")),
        (tc_string(Tc(restrictions=((0, 0, ((1, 1),)),))), (Flaw.RESTRICTION, "core")),
        (tc_string(Tc(restrictions=((2, 3, ((1, 1),)),))), (Flaw.RESTRICTION, "core")),
        (tc_string(Tc(restrictions=((2, 0, ((1, 1),)), (2, 0, ((2, 2),))))), (Flaw.RESTRICTION, "core")),
        (tc_string(Tc(restrictions=((2, 0, ((0, 1),)),))), (Flaw.RANGE, "core")),
        (tc_string(Tc(disclosed=None)), (Flaw.NO_DISCLOSED_VENDORS, "core")),
        (text_of(core_bits(Tc()), 24) + "AAAAAAAAAAAA." + text_of(segment_bits(Tc())[0]), (Flaw.PADDING, "core")),
        (tc_string(Tc())[:-1] + "B", (Flaw.PADDING, "disclosed_vendors")),
        (tc_string(Tc()) + ".", (Flaw.EMPTY, "")),
        (tc_string(Tc()) + "..", (Flaw.EMPTY, "")),
        (tc_string(Tc()) + "...", (Flaw.SEGMENT, "")),
        (tc_string(Tc()) + "." + text_of(core_bits(Tc())), (Flaw.SEGMENT, "")),
        (tc_string(Tc()) + "." + text_of("001" + vendors(())), (Flaw.SEGMENT, "disclosed_vendors")),
        (tc_string(Tc()) + "." + text_of("100" + vendors(())), (Flaw.SEGMENT, "")),
        (tc_string(Tc()) + "." + text_of("111" + vendors(())), (Flaw.SEGMENT, "")),
        (tc_string(Tc()) + "=", (Flaw.ALPHABET, "")),
        (tc_string(Tc()) + ".A", (Flaw.LENGTH, "")),
        (tc_string(Tc()).replace("C", "+", 1), (Flaw.ALPHABET, "core")),
        (" " + tc_string(Tc()), (Flaw.ALPHABET, "core")),
        (tc_string(Tc()) + "\n", (Flaw.ALPHABET, "")),
        (text_of(segment_bits(Tc())[0]), (Flaw.VERSION, "core")),
    ],
)
def test_what_is_refused(text: str, flaw: tuple[Flaw, str]) -> None:
    assert _flaw(text) == flaw


def test_the_padding_of_early_official_encoders_is_read() -> None:
    legacy = tc_string(Tc(created_s=OLD_DAY_S, policy=2, disclosed=None))
    assert _decoded(legacy + ".YAAAAAAAAAAAAAAAAAA").publisher == _decoded(legacy + ".YAAAAAAAAA").publisher
    assert _flaw(legacy + ".YAAAAAAAAAAAAAAAAAAAAA") == (Flaw.PADDING, "publisher_tc")


def test_disclosed_vendors_are_required_from_the_first_of_march_2026_on() -> None:
    assert _decoded(tc_string(Tc(created_s=MARCH_S - 86_400, disclosed=None))).disclosed is None
    assert _flaw(tc_string(Tc(created_s=MARCH_S, disclosed=None)))[0] is Flaw.NO_DISCLOSED_VENDORS
    renewed = Tc(created_s=OLD_DAY_S, updated_s=MARCH_S, disclosed=None)
    assert _flaw(tc_string(renewed))[0] is Flaw.NO_DISCLOSED_VENDORS


def test_more_restrictions_than_there_can_be_are_refused_before_they_are_read() -> None:
    bits = core_bits(Tc())[:-12] + number(4095, 12) + ("00001000" + entries(())) * 300
    assert _flaw(text_of(bits, 24) + "." + text_of(segment_bits(Tc())[0], 24)) == (Flaw.RESTRICTION, "core")


@pytest.mark.parametrize("vendor_consents", [((1, 2),), tuple((n, n) for n in range(1, 1500, 2))])
def test_the_same_string_gives_the_same_answer_remembered_or_not(vendor_consents: tuple[tuple[int, int], ...]) -> None:
    text = tc_string(Tc(vendor_consents=vendor_consents))
    assert (len(text) > CACHED_CHARS) == (len(vendor_consents) > 1)
    first = _decoded(text)
    assert first == _decoded(text)
    forget_tcf()
    assert first == _decoded(text)


def test_no_message_holds_anything_of_the_string() -> None:
    found = decode_tcf("C-secret-person@example")
    assert isinstance(found, Malformed)
    assert found.message() == "core: a character outside the base64url alphabet"
