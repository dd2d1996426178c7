"""Decoded consent strings as JSON values, in the shapes the vectors have.

Rules: ``tcf`` has snake-case fields, ids as lists and vendors as ``[first, last]``; ``gpp`` has ``section_ids`` and
``sections`` by API prefix with the specification's field names, ids spread out and purposes as lists of booleans. An
absent segment of a TC string shows as empty lists, of a US section not at all: no GPC segment is not "no GPC".
"""

from datetime import UTC, datetime
from typing import Any

from tamis.domain.consent.strings.consent_mode import TYPES, ConsentMode
from tamis.domain.consent.strings.flaw import Malformed, Unsupported
from tamis.domain.consent.strings.gpp import NAMES, Body, GppString
from tamis.domain.consent.strings.reading import Decoded
from tamis.domain.consent.strings.tcf import (
    ALLOWED,
    DISCLOSED,
    PUBLISHER,
    PURPOSES,
    SPECIAL_FEATURES,
    PublisherTc,
    TcString,
)
from tamis.domain.consent.strings.us import UsSection
from tamis.domain.consent.strings.us_layouts import SENSITIVE
from tamis.domain.consent.strings.usp import UspString
from tamis.domain.consent.strings.vendors import NOBODY

_GPC_SEGMENT = 1
_NO_PUBLISHER = PublisherTc(0, 0, 0, 0, 0)


def describe(text: str, found: Decoded) -> dict[str, Any]:
    """The JSON object of a decoded string, without ``valid``.

    Args:
        text: the string itself.
        found: what it was decoded to.
    """
    if isinstance(found, TcString):
        return {"format": "tcf", "tc_string": text, **_tcf(found)}
    if isinstance(found, GppString):
        return {"format": "gpp", "gpp_string": text, **_gpp(found)}
    if isinstance(found, UspString):
        return {"format": "usp", "usp_string": text, **_usp(found)}
    return {"format": found.format, f"{found.format}_string": text, **_consent_mode(found)}


def _tcf(tc: TcString) -> dict[str, Any]:
    publisher = tc.publisher or _NO_PUBLISHER
    return {
        "created": _instant(tc.created),
        "last_updated": _instant(tc.last_updated),
        "cmp_id": tc.cmp_id,
        "cmp_version": tc.cmp_version,
        "consent_screen": tc.consent_screen,
        "consent_language": tc.consent_language,
        "vendor_list_version": tc.vendor_list_version,
        "tcf_policy_version": tc.policy_version,
        "is_service_specific": tc.is_service_specific,
        "use_non_standard_texts": tc.use_non_standard_texts,
        "purpose_one_treatment": tc.purpose_one_treatment,
        "publisher_country": tc.publisher_country,
        "purpose_consents": _ids(tc.purpose_consents, PURPOSES),
        "purpose_legitimate_interests": _ids(tc.purpose_legitimate_interests, PURPOSES),
        "special_feature_optins": _ids(tc.special_features, SPECIAL_FEATURES),
        "vendor_consents": tc.vendor_consents.spans(),
        "vendor_legitimate_interests": tc.vendor_legitimate_interests.spans(),
        "vendors_disclosed": (tc.disclosed or NOBODY).spans(),
        "vendors_allowed": (tc.allowed or NOBODY).spans(),
        "publisher_consents": _ids(publisher.consents, PURPOSES),
        "publisher_legitimate_interests": _ids(publisher.legitimate_interests, PURPOSES),
        "custom_purpose_count": publisher.custom,
        "custom_purpose_consents": _ids(publisher.custom_consents, publisher.custom),
        "custom_purpose_legitimate_interests": _ids(publisher.custom_legitimate_interests, publisher.custom),
        "publisher_restrictions": [
            {"purpose": entry.purpose, "type": entry.type, "vendors": entry.vendors.spans()}
            for entry in tc.restrictions
        ],
    }


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03}Z"


def _ids(mask: int, width: int) -> list[int]:
    return [number for number in range(1, width + 1) if mask >> (width - number) & 1]


def _flags(mask: int, width: int) -> list[bool]:
    return [bool(mask >> at & 1) for at in range(width - 1, -1, -1)]


def _gpp(gpp: GppString) -> dict[str, Any]:
    unread = [section for section, body in gpp.sections.items() if isinstance(body, Unsupported)]
    return {
        "section_ids": list(gpp.sections),
        "sections": {
            NAMES[section]: _section(body)
            for section, body in gpp.sections.items()
            if not isinstance(body, Unsupported)
        },
        **({"unsupported_section_ids": unread} if unread else {}),
    }


def _section(body: Body) -> dict[str, Any]:
    if isinstance(body, TcString):
        return _tcf_section(body)
    if isinstance(body, UspString):
        return _usp(body)
    if isinstance(body, Malformed):
        return {"error": body.message()}
    assert isinstance(body, UsSection)
    fields: dict[str, Any] = {body.layout.version_field: body.version}
    for name, count in body.layout.fields.items():
        values = body.get(name)
        fields[name] = values if count else values[0]
    if body.gpc is not None:
        fields |= {"GpcSegmentType": _GPC_SEGMENT, "Gpc": body.gpc}
    if body.sensitive is not None:
        fields[SENSITIVE] = body.sensitive
    return fields


def _usp(usp: UspString) -> dict[str, Any]:
    return {"Version": 1, "Notice": usp.notice, "OptOutSale": usp.opt_out_sale, "LspaCovered": usp.lspa_covered}


def _tcf_section(tc: TcString) -> dict[str, Any]:
    publisher = tc.publisher or _NO_PUBLISHER
    return {
        "Version": 2,
        "Created": _instant(tc.created),
        "LastUpdated": _instant(tc.last_updated),
        "CmpId": tc.cmp_id,
        "CmpVersion": tc.cmp_version,
        "ConsentScreen": tc.consent_screen,
        "ConsentLanguage": tc.consent_language,
        "VendorListVersion": tc.vendor_list_version,
        "PolicyVersion": tc.policy_version,
        "IsServiceSpecific": tc.is_service_specific,
        "UseNonStandardStacks": tc.use_non_standard_texts,
        "SpecialFeatureOptins": _flags(tc.special_features, SPECIAL_FEATURES),
        "PurposeConsents": _flags(tc.purpose_consents, PURPOSES),
        "PurposeLegitimateInterests": _flags(tc.purpose_legitimate_interests, PURPOSES),
        "PurposeOneTreatment": tc.purpose_one_treatment,
        "PublisherCountryCode": tc.publisher_country,
        "VendorConsents": list(tc.vendor_consents.ids()),
        "VendorLegitimateInterests": list(tc.vendor_legitimate_interests.ids()),
        "PublisherRestrictions": [
            {"key": entry.purpose, "type": entry.type, "ids": list(entry.vendors.ids())} for entry in tc.restrictions
        ],
        "PublisherPurposesSegmentType": PUBLISHER,
        "PublisherConsents": _flags(publisher.consents, PURPOSES),
        "PublisherLegitimateInterests": _flags(publisher.legitimate_interests, PURPOSES),
        "NumCustomPurposes": publisher.custom,
        "PublisherCustomConsents": _flags(publisher.custom_consents, publisher.custom),
        "PublisherCustomLegitimateInterests": _flags(publisher.custom_legitimate_interests, publisher.custom),
        "VendorsAllowedSegmentType": ALLOWED,
        "VendorsAllowed": list((tc.allowed or NOBODY).ids()),
        "VendorsDisclosedSegmentType": DISCLOSED,
        "VendorsDisclosed": list((tc.disclosed or NOBODY).ids()),
    }


def _consent_mode(mode: ConsentMode) -> dict[str, Any]:
    return {name: signal.value for name, signal in zip(TYPES, mode.signals, strict=False)}
