"""What a TC string permits: for a vendor and a purpose, for the publisher itself, and for a custom purpose.

Rules, in this order, the first no wins:
- the string must be one that counts: service-specific; of a policy version that is known (2 to 5); policy 2 and 3 only
  if made before 2023-10-01;
- where disclosed vendors are stated, the vendor must be among them;
- a purpose the publisher does not allow (restriction 0) is denied, whatever the vendor declares;
- the vendor must have declared the purpose; a restriction to the other legal basis switches it only if the purpose is
  declared flexible, and never to legitimate interest for purposes 1 and 3 to 6; otherwise it denies;
- consent needs the purpose's bit and the vendor's; legitimate interest the same, never for purpose 1, nor since policy
  4 for purposes 3 to 6;
- purpose 1 that was not disclosed (PurposeOneTreatment) is denied, but for the countries the caller names.
Not handled here: the age of a string, and what the Global Vendor List says (``Vendor`` comes from configuration).
Source: IAB Tech Lab, TC string formats v2, "Publisher restrictions", "RestrictionType"; TCF Policies 2.2 and 2.3.
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum

import msgspec

from tamis.domain.consent.strings.tcf import PURPOSES, SPECIAL_FEATURES, TcString

NOT_ALLOWED, REQUIRE_CONSENT, REQUIRE_LEGITIMATE_INTEREST = range(3)
OLDEST_POLICY, NEWEST_POLICY = 2, 5
_POLICY_2_2 = 4
_OLD_POLICIES_END_MS = 1_696_118_400_000  # 2023-10-01T00:00Z
_CONSENT_ONLY = frozenset({3, 4, 5, 6})
_NEVER_SWITCHED = _CONSENT_ONLY | {1}


class Basis(StrEnum):
    """The legal basis a yes rests on."""

    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"
    NOT_REQUIRED = "not_required"


class TcfReason(StrEnum):
    """Why a purpose is permitted or not."""

    PERMITTED = "permitted"
    GLOBAL_SCOPE = "global_scope"
    UNKNOWN_POLICY = "unknown_policy"
    OLD_POLICY = "old_policy"
    NOT_DISCLOSED = "not_disclosed"
    NO_PUBLISHER_TC = "no_publisher_tc"
    RESTRICTED = "restricted"
    NOT_DECLARED = "not_declared"
    UNKNOWN_PURPOSE = "unknown_purpose"
    PURPOSE_ONE_NOT_DISCLOSED = "purpose_one_not_disclosed"
    NO_PURPOSE_CONSENT = "no_purpose_consent"
    NO_VENDOR_CONSENT = "no_vendor_consent"
    NO_PURPOSE_INTEREST = "no_purpose_interest"
    NO_VENDOR_INTEREST = "no_vendor_interest"


class TcfFinding(msgspec.Struct, frozen=True, gc=False):
    """The answer for one purpose.

    Attributes:
        reason: PERMITTED, or why not.
        basis: what a yes rests on; None for a no.
    """

    reason: TcfReason
    basis: Basis | None = None

    @property
    def permitted(self) -> bool:
        """Whether this is a yes."""
        return self.reason is TcfReason.PERMITTED


class Vendor(msgspec.Struct, frozen=True, gc=False):
    """A vendor as the Global Vendor List has it.

    Attributes:
        id: its GVL id.
        consent, legitimate_interest: purposes it declares on that basis.
        flexible: declared purposes for which it takes the other basis too.
    """

    id: int
    consent: frozenset[int]
    legitimate_interest: frozenset[int] = frozenset()
    flexible: frozenset[int] = frozenset()


_NO_COUNTRY: frozenset[str] = frozenset()


def judge_vendor(
    tc: TcString, vendor: Vendor, purpose: int, no_consent_for_purpose_one: AbstractSet[str] = _NO_COUNTRY
) -> TcfFinding:
    """Whether ``vendor`` may process for ``purpose``.

    Args:
        tc: the string.
        vendor: who, and what it declares.
        purpose: 1 to 24.
        no_consent_for_purpose_one: publisher countries (ISO 3166-1 alpha-2, upper case) whose law asks for no consent
            to purpose 1; they matter only when the string says that the purpose was not disclosed.
    """
    if refused := _refused(tc, purpose):
        return TcfFinding(refused)
    if tc.disclosed is not None and vendor.id not in tc.disclosed:
        return TcfFinding(TcfReason.NOT_DISCLOSED)
    basis = _basis(tc, vendor, purpose)
    if isinstance(basis, TcfReason):
        return TcfFinding(basis)
    if purpose == 1 and tc.purpose_one_treatment:
        return _purpose_one(tc, no_consent_for_purpose_one)
    if basis is Basis.CONSENT:
        purposes, vendors = tc.purpose_consents, tc.vendor_consents
        missing = TcfReason.NO_PURPOSE_CONSENT, TcfReason.NO_VENDOR_CONSENT
    else:
        purposes = tc.purpose_legitimate_interests if _interest_possible(tc, purpose) else 0
        vendors = tc.vendor_legitimate_interests
        missing = TcfReason.NO_PURPOSE_INTEREST, TcfReason.NO_VENDOR_INTEREST
    if not has_bit(purposes, PURPOSES, purpose):
        return TcfFinding(missing[0])
    return TcfFinding(TcfReason.PERMITTED, basis) if vendor.id in vendors else TcfFinding(missing[1])


def judge_publisher(
    tc: TcString, purpose: int, *, core: bool = False, vendor: int | None = None, interest: bool = False,
    no_consent_for_purpose_one: AbstractSet[str] = _NO_COUNTRY,
) -> TcfFinding:  # fmt: skip
    """Whether the publisher itself (first party) may process for ``purpose``.

    The publisher TC segment counts, and where it is missing the answer is no: a string cut off before it must not fall
    back to other consents. With ``core`` the purposes of the core segment count instead, whether or not there is such a
    segment. Restrictions are the publisher's own and do not bind it.

    Args:
        tc: the string.
        purpose: 1 to 24.
        core: judge by the core segment.
        vendor: with ``core``, the publisher's own GVL id, if it must have been consented to as well.
        interest: legitimate interest is enough.
        no_consent_for_purpose_one: as in ``judge_vendor``.
    """
    if refused := _refused(tc, purpose):
        return TcfFinding(refused)
    if core and vendor is not None and tc.disclosed is not None and vendor not in tc.disclosed:
        return TcfFinding(TcfReason.NOT_DISCLOSED)
    if purpose == 1 and tc.purpose_one_treatment:
        return _purpose_one(tc, no_consent_for_purpose_one)
    own = tc.publisher
    if core:
        consents, interests, named = tc.purpose_consents, tc.purpose_legitimate_interests, vendor
    elif own is not None:
        consents, interests, named = own.consents, own.legitimate_interests, None
    else:
        return TcfFinding(TcfReason.NO_PUBLISHER_TC)
    consented = has_bit(consents, PURPOSES, purpose)
    if consented and (named is None or named in tc.vendor_consents):
        return TcfFinding(TcfReason.PERMITTED, Basis.CONSENT)
    if interest and _interest_possible(tc, purpose) and has_bit(interests, PURPOSES, purpose):
        if named is None or named in tc.vendor_legitimate_interests:
            return TcfFinding(TcfReason.PERMITTED, Basis.LEGITIMATE_INTEREST)
        return TcfFinding(TcfReason.NO_VENDOR_INTEREST)
    return TcfFinding(TcfReason.NO_VENDOR_CONSENT if consented else TcfReason.NO_PURPOSE_CONSENT)


def judge_custom(tc: TcString, purpose: int, *, interest: bool = False) -> TcfFinding:
    """Whether the publisher may process for its own custom purpose number ``purpose`` (1 to 63)."""
    if refused := _refused(tc, 1):
        return TcfFinding(refused)
    own = tc.publisher
    if own is None or not 0 < purpose <= own.custom:
        return TcfFinding(TcfReason.UNKNOWN_PURPOSE)
    if has_bit(own.custom_consents, own.custom, purpose):
        return TcfFinding(TcfReason.PERMITTED, Basis.CONSENT)
    if interest and has_bit(own.custom_legitimate_interests, own.custom, purpose):
        return TcfFinding(TcfReason.PERMITTED, Basis.LEGITIMATE_INTEREST)
    return TcfFinding(TcfReason.NO_PURPOSE_CONSENT)


def judge_special_feature(tc: TcString, vendor: int, feature: int) -> TcfFinding:
    """Whether ``vendor`` may use special feature ``feature`` (1 to 12): the opt-in, and the vendor disclosed."""
    if refused := _refused(tc, 1):
        return TcfFinding(refused)
    if not 0 < feature <= SPECIAL_FEATURES:
        return TcfFinding(TcfReason.UNKNOWN_PURPOSE)
    if tc.disclosed is not None and vendor not in tc.disclosed:
        return TcfFinding(TcfReason.NOT_DISCLOSED)
    if not has_bit(tc.special_features, SPECIAL_FEATURES, feature):
        return TcfFinding(TcfReason.NO_PURPOSE_CONSENT)
    return TcfFinding(TcfReason.PERMITTED, Basis.CONSENT)


def has_bit(mask: int, width: int, number: int) -> bool:
    """Whether the bit of id ``number`` is set in a mask of ``width`` bits, id 1 highest."""
    return mask >> (width - number) & 1 == 1


def _refused(tc: TcString, purpose: int) -> TcfReason | None:
    """Why the string does not count at all."""
    if not 0 < purpose <= PURPOSES:
        return TcfReason.UNKNOWN_PURPOSE
    if not tc.is_service_specific:
        return TcfReason.GLOBAL_SCOPE
    if not OLDEST_POLICY <= tc.policy_version <= NEWEST_POLICY:
        return TcfReason.UNKNOWN_POLICY
    if tc.policy_version < _POLICY_2_2 and max(tc.created, tc.last_updated) >= _OLD_POLICIES_END_MS:
        return TcfReason.OLD_POLICY
    return None


def _purpose_one(tc: TcString, countries: AbstractSet[str]) -> TcfFinding:
    """Purpose 1 when the string says it was not disclosed: only where the law asks for no consent to it."""
    if tc.publisher_country in countries:
        return TcfFinding(TcfReason.PERMITTED, Basis.NOT_REQUIRED)
    return TcfFinding(TcfReason.PURPOSE_ONE_NOT_DISCLOSED)


def _interest_possible(tc: TcString, purpose: int) -> bool:
    return purpose != 1 and (purpose not in _CONSENT_ONLY or tc.policy_version < _POLICY_2_2)


def _basis(tc: TcString, vendor: Vendor, purpose: int) -> Basis | TcfReason:
    """The basis the vendor must use after declarations and restrictions, or why there is none."""
    bound = {entry.type for entry in tc.restrictions if entry.purpose == purpose and vendor.id in entry.vendors}
    if NOT_ALLOWED in bound:
        return TcfReason.RESTRICTED
    flexible = purpose in vendor.flexible
    if purpose in vendor.consent:
        if REQUIRE_LEGITIMATE_INTEREST not in bound:
            return Basis.CONSENT
        contrary = REQUIRE_CONSENT in bound
        switched = flexible and not contrary and purpose not in _NEVER_SWITCHED
        return Basis.LEGITIMATE_INTEREST if switched else TcfReason.RESTRICTED
    if purpose not in vendor.legitimate_interest:
        return TcfReason.NOT_DECLARED
    if REQUIRE_CONSENT not in bound:
        return Basis.LEGITIMATE_INTEREST
    return Basis.CONSENT if flexible and REQUIRE_LEGITIMATE_INTEREST not in bound else TcfReason.RESTRICTED
