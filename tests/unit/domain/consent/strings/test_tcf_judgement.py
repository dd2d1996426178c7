"""What a TC string permits: each rule alone, the first no wins."""

from __future__ import annotations

from typing import Any

import pytest

from tamis.domain.consent.strings.tcf import TcString, decode_tcf
from tamis.domain.consent.strings.tcf_judgement import (
    Basis,
    TcfReason,
    Vendor,
    judge_custom,
    judge_publisher,
    judge_special_feature,
    judge_vendor,
)
from tests.support.consent_strings import OLD_DAY_S, Tc, tc_string

EVERY = frozenset(range(1, 25))
V = 28
US = ((V, V),)
BY_CONSENT, FLEXIBLE = Vendor(V, EVERY), Vendor(V, EVERY, flexible=EVERY)
BY_INTEREST, FLEXIBLE_INTEREST = Vendor(V, frozenset(), EVERY), Vendor(V, frozenset(), EVERY, EVERY)


def _tc(**fields: Any) -> TcString:
    allowing: dict[str, Any] = {"consents": EVERY, "interests": EVERY, "vendor_consents": US, "vendor_interests": US}
    found = decode_tcf(tc_string(Tc(**(allowing | fields))))
    assert isinstance(found, TcString), found
    return found


def _judged(tc: TcString, vendor: Vendor = BY_CONSENT, purpose: int = 2) -> TcfReason | Basis | None:
    found = judge_vendor(tc, vendor, purpose)
    assert (found.basis is not None) == found.permitted
    return found.basis if found.permitted else found.reason


def test_consent_needs_the_purpose_and_the_vendor() -> None:
    assert _judged(_tc()) is Basis.CONSENT
    assert _judged(_tc(consents=EVERY - {2})) is TcfReason.NO_PURPOSE_CONSENT
    assert _judged(_tc(vendor_consents=((V + 1, 99),))) is TcfReason.NO_VENDOR_CONSENT


def test_legitimate_interest_needs_the_purpose_and_the_vendor() -> None:
    assert _judged(_tc(consents=frozenset(), vendor_consents=()), BY_INTEREST) is Basis.LEGITIMATE_INTEREST
    assert _judged(_tc(interests=EVERY - {2}), BY_INTEREST) is TcfReason.NO_PURPOSE_INTEREST
    assert _judged(_tc(vendor_interests=()), BY_INTEREST) is TcfReason.NO_VENDOR_INTEREST


@pytest.mark.parametrize("purpose", range(1, 12))
def test_no_legitimate_interest_for_purposes_one_and_three_to_six(purpose: int) -> None:
    expected = TcfReason.NO_PURPOSE_INTEREST if purpose in {1, 3, 4, 5, 6} else Basis.LEGITIMATE_INTEREST
    assert _judged(_tc(), BY_INTEREST, purpose) is expected
    old = _tc(policy=2, created_s=OLD_DAY_S, disclosed=None)
    assert _judged(old, BY_INTEREST, purpose) is (expected if purpose == 1 else Basis.LEGITIMATE_INTEREST)


def test_what_the_vendor_does_not_declare_is_denied() -> None:
    assert _judged(_tc(), Vendor(V, frozenset({3}), frozenset({7}))) is TcfReason.NOT_DECLARED
    assert _judged(_tc(), Vendor(V, frozenset(), frozenset(), EVERY)) is TcfReason.NOT_DECLARED


@pytest.mark.parametrize("purpose", [0, -1, 25, 100])
def test_a_purpose_that_is_none_is_denied(purpose: int) -> None:
    assert _judged(_tc(), Vendor(V, EVERY | {purpose}), purpose) is TcfReason.UNKNOWN_PURPOSE
    assert judge_publisher(_tc(), purpose, core=True).reason is TcfReason.UNKNOWN_PURPOSE


@pytest.mark.parametrize("vendor", [BY_CONSENT, FLEXIBLE, BY_INTEREST, FLEXIBLE_INTEREST])
def test_a_purpose_the_publisher_does_not_allow_is_denied_always(vendor: Vendor) -> None:
    assert _judged(_tc(restrictions=((2, 0, US),)), vendor) is TcfReason.RESTRICTED
    assert _judged(_tc(restrictions=((2, 0, ((1, 27), (29, 99))),)), vendor) is not TcfReason.RESTRICTED
    assert _judged(_tc(restrictions=((7, 0, US),)), vendor) is not TcfReason.RESTRICTED


@pytest.mark.parametrize(
    ("vendor", "kind", "expected"),
    [
        (BY_CONSENT, 1, Basis.CONSENT),
        (FLEXIBLE, 1, Basis.CONSENT),
        (BY_INTEREST, 1, TcfReason.RESTRICTED),
        (FLEXIBLE_INTEREST, 1, Basis.CONSENT),
        (BY_CONSENT, 2, TcfReason.RESTRICTED),
        (FLEXIBLE, 2, Basis.LEGITIMATE_INTEREST),
        (BY_INTEREST, 2, Basis.LEGITIMATE_INTEREST),
        (FLEXIBLE_INTEREST, 2, Basis.LEGITIMATE_INTEREST),
    ],
)
def test_a_restriction_switches_the_basis_only_of_a_flexible_purpose(
    vendor: Vendor, kind: int, expected: TcfReason | Basis
) -> None:
    assert _judged(_tc(restrictions=((2, kind, US),)), vendor) is expected


def test_a_switched_basis_needs_its_own_signals() -> None:
    to_consent, to_interest = ((2, 1, US),), ((2, 2, US),)
    assert (
        _judged(_tc(restrictions=to_consent, consents=frozenset()), FLEXIBLE_INTEREST) is TcfReason.NO_PURPOSE_CONSENT
    )
    assert _judged(_tc(restrictions=to_consent, vendor_consents=()), FLEXIBLE_INTEREST) is TcfReason.NO_VENDOR_CONSENT
    assert _judged(_tc(restrictions=to_interest, interests=frozenset()), FLEXIBLE) is TcfReason.NO_PURPOSE_INTEREST
    assert _judged(_tc(restrictions=to_interest, vendor_interests=()), FLEXIBLE) is TcfReason.NO_VENDOR_INTEREST


@pytest.mark.parametrize("purpose", [1, 3, 4, 5, 6])
@pytest.mark.parametrize("policy", [2, 5])
def test_no_restriction_switches_these_purposes_to_legitimate_interest(purpose: int, policy: int) -> None:
    created = {"policy": policy, "created_s": OLD_DAY_S, "disclosed": None} if policy == 2 else {}
    assert _judged(_tc(restrictions=((purpose, 2, US),), **created), FLEXIBLE, purpose) is TcfReason.RESTRICTED


@pytest.mark.parametrize("vendor", [FLEXIBLE, FLEXIBLE_INTEREST])
def test_restrictions_that_contradict_each_other_deny(vendor: Vendor) -> None:
    assert _judged(_tc(restrictions=((2, 1, US), (2, 2, US))), vendor) is TcfReason.RESTRICTED


def test_disclosed_vendors_bind_where_they_are_stated() -> None:
    assert _judged(_tc(disclosed=((1, 27),))) is TcfReason.NOT_DISCLOSED
    assert _judged(_tc(disclosed=())) is TcfReason.NOT_DISCLOSED
    assert _judged(_tc(disclosed=None, created_s=1_772_323_199)) is Basis.CONSENT
    assert judge_special_feature(_tc(disclosed=(), features=frozenset({1})), V, 1).reason is TcfReason.NOT_DISCLOSED


def test_strings_that_do_not_count() -> None:
    assert _judged(_tc(service_specific=False)) is TcfReason.GLOBAL_SCOPE
    assert _judged(_tc(policy=6)) is TcfReason.UNKNOWN_POLICY
    assert _judged(_tc(policy=1)) is TcfReason.UNKNOWN_POLICY
    assert _judged(_tc(policy=3)) is TcfReason.OLD_POLICY
    assert _judged(_tc(policy=3, created_s=1_696_118_400 - 86_400)) is Basis.CONSENT
    assert _judged(_tc(policy=4)) is Basis.CONSENT


def test_purpose_one_that_was_not_disclosed_needs_a_law_that_does_not_ask() -> None:
    tc = _tc(one_treatment=True, country="DE")
    assert _judged(tc, purpose=1) is TcfReason.PURPOSE_ONE_NOT_DISCLOSED
    assert judge_vendor(tc, BY_CONSENT, 1, {"FR"}).reason is TcfReason.PURPOSE_ONE_NOT_DISCLOSED
    assert judge_vendor(tc, BY_CONSENT, 1, {"DE"}).basis is Basis.NOT_REQUIRED
    assert judge_publisher(tc, 1, core=True, no_consent_for_purpose_one={"DE"}).basis is Basis.NOT_REQUIRED
    assert judge_publisher(tc, 1, core=True).reason is TcfReason.PURPOSE_ONE_NOT_DISCLOSED
    assert _judged(tc, purpose=2) is Basis.CONSENT
    assert judge_vendor(_tc(consents=frozenset(), country="DE"), BY_CONSENT, 1, {"DE"}).permitted is False


OWN = (frozenset({1, 7}), frozenset({1, 3, 9}), 3, frozenset({2}), frozenset({3}))


def test_the_publisher_s_own_segment_counts_alone() -> None:
    tc = _tc(publisher=OWN)
    assert judge_publisher(tc, 7).basis is Basis.CONSENT
    assert judge_publisher(tc, 9).reason is TcfReason.NO_PURPOSE_CONSENT
    assert judge_publisher(tc, 9, interest=True).basis is Basis.LEGITIMATE_INTEREST
    assert judge_publisher(tc, 3, interest=True).reason is TcfReason.NO_PURPOSE_CONSENT
    assert judge_publisher(tc, 2, interest=True).reason is TcfReason.NO_PURPOSE_CONSENT


def test_without_that_segment_the_publisher_has_nothing() -> None:
    assert judge_publisher(_tc(), 7, interest=True).reason is TcfReason.NO_PUBLISHER_TC


def test_the_publisher_may_judge_by_the_core_with_or_without_its_vendor_id() -> None:
    tc = _tc(consents=frozenset({7}), interests=frozenset({9}), vendor_consents=((5, 5),), vendor_interests=((6, 6),))
    assert judge_publisher(tc, 7, core=True).basis is Basis.CONSENT
    assert judge_publisher(tc, 7, core=True, vendor=5).basis is Basis.CONSENT
    assert judge_publisher(tc, 7, core=True, vendor=V).reason is TcfReason.NO_VENDOR_CONSENT
    assert judge_publisher(tc, 9, core=True).reason is TcfReason.NO_PURPOSE_CONSENT
    assert judge_publisher(tc, 9, core=True, vendor=6, interest=True).basis is Basis.LEGITIMATE_INTEREST
    assert judge_publisher(tc, 9, core=True, vendor=V, interest=True).reason is TcfReason.NO_VENDOR_INTEREST
    assert judge_publisher(tc, 7, core=True, vendor=2001).reason is TcfReason.NOT_DISCLOSED


def test_custom_purposes_are_the_publisher_s() -> None:
    tc = _tc(publisher=OWN)
    assert judge_custom(tc, 2).basis is Basis.CONSENT
    assert judge_custom(tc, 3).reason is TcfReason.NO_PURPOSE_CONSENT
    assert judge_custom(tc, 3, interest=True).basis is Basis.LEGITIMATE_INTEREST
    assert {judge_custom(tc, n).reason for n in (0, -1, 4, 63)} == {TcfReason.UNKNOWN_PURPOSE}
    assert judge_custom(_tc(), 2).reason is TcfReason.UNKNOWN_PURPOSE
    assert judge_custom(_tc(publisher=OWN, policy=9), 2).reason is TcfReason.UNKNOWN_POLICY


def test_special_features_are_opted_in() -> None:
    tc = _tc(features=frozenset({2}))
    assert judge_special_feature(tc, V, 2).basis is Basis.CONSENT
    assert judge_special_feature(tc, V, 1).reason is TcfReason.NO_PURPOSE_CONSENT
    assert {judge_special_feature(tc, V, n).reason for n in (0, 13)} == {TcfReason.UNKNOWN_PURPOSE}
    assert judge_special_feature(_tc(policy=9), V, 2).reason is TcfReason.UNKNOWN_POLICY
