"""Field tables of the GPP sections for the United States (ids 7 to 27).

Rules: a core segment is a 6-bit version and then two-bit values only, so a layout is its ordered field names with the
number of values of each; 0 = a single value, n = a list of n. The newest four states have no ``Version``: their core
begins with ``MspaVersion``, and official encoders write no section header. ``usnat`` 1 exists in two layouts, told
apart by length, because consent tools took over the values of version 2 before its number. A section may end in one
more segment: GPC, or (IN, KY, RI) consent to sensitive data.
Source: IAB Tech Lab, Global Privacy Platform, "Sections/US-National" and "Sections/US-States/*", one table a state.
"""

from collections.abc import Mapping

import msgspec

VERSION, MSPA_VERSION = "Version", "MspaVersion"
SENSITIVE, CHILD = "SensitiveDataProcessing", "KnownChildSensitiveDataConsents"
COVERED = "MspaCoveredTransaction"
SENSITIVE_CATEGORIES = 8
"""Values of the separate sensitive data segment."""
VERSION_BITS = 6


class Layout(msgspec.Struct, frozen=True, gc=False):
    """How one version of a section is laid out.

    Attributes:
        section: GPP section id.
        name: client-side API prefix, e.g. "usca".
        version_field: name of the first six bits.
        fields: name -> number of two-bit values, 0 for a single one that is no list.
        spans: name -> where its values begin and end among all values.
        size: number of all values.
        gpc: a GPC segment may follow.
        sensitive: a segment of sensitive data consents may follow.
    """

    section: int
    name: str
    version_field: str
    fields: Mapping[str, int]
    spans: Mapping[str, tuple[int, int]]
    size: int
    gpc: bool
    sensitive: bool


_MSPA = {COVERED: 0, "MspaOptOutOptionMode": 0, "MspaServiceProviderMode": 0}
_ADDITIONAL = {"AdditionalDataProcessingConsent": 0}
_SALE_AND_TARGETED = {"SaleOptOut": 0, "TargetedAdvertisingOptOut": 0}
_NOTICES = {"SaleOptOutNotice": 0, "TargetedAdvertisingOptOutNotice": 0}
_SHARING, _PROCESSING = {"SharingNotice": 0}, {"ProcessingNotice": 0}


def _national(sensitive: int, child: int) -> Mapping[str, int]:
    return {
        "SharingNotice": 0,
        "SaleOptOutNotice": 0,
        "SharingOptOutNotice": 0,
        "TargetedAdvertisingOptOutNotice": 0,
        "SensitiveDataProcessingOptOutNotice": 0,
        "SensitiveDataLimitUseNotice": 0,
        "SaleOptOut": 0,
        "SharingOptOut": 0,
        "TargetedAdvertisingOptOut": 0,
        SENSITIVE: sensitive,
        CHILD: child,
        "PersonalDataConsents": 0,
        **_MSPA,
    }


_CALIFORNIA = {
    "SaleOptOutNotice": 0,
    "SharingOptOutNotice": 0,
    "SensitiveDataLimitUseNotice": 0,
    "SaleOptOut": 0,
    "SharingOptOut": 0,
    SENSITIVE: 9,
    CHILD: 2,
    "PersonalDataConsents": 0,
    **_MSPA,
}


def _first_states(sensitive: int, child: int, notice: Mapping[str, int] | None = None) -> Mapping[str, int]:
    """The states of 2023 (VA, CO, UT, CT); ``notice`` is the one that UT adds."""
    return {**_SHARING, **_NOTICES, **(notice or {}), **_SALE_AND_TARGETED, SENSITIVE: sensitive, CHILD: child, **_MSPA}


def _later_states(sensitive: int, child: int, first: Mapping[str, int] = _PROCESSING) -> Mapping[str, int]:
    """The states of 2024 and 2025 that ask for additional processing too."""
    return {**first, **_NOTICES, **_SALE_AND_TARGETED, SENSITIVE: sensitive, CHILD: child, **_ADDITIONAL, **_MSPA}


_IOWA = {
    **_PROCESSING,
    **_NOTICES,
    "SensitiveDataOptOutNotice": 0,
    **_SALE_AND_TARGETED,
    SENSITIVE: 8,
    CHILD: 0,
    **_MSPA,
}


def _newest_states(child: Mapping[str, int]) -> Mapping[str, int]:
    """The states of late 2025 (MD, IN, KY, RI)."""
    return {COVERED: 0, "MspaMode": 0, **_PROCESSING, **_NOTICES, **_SALE_AND_TARGETED, **child, **_ADDITIONAL}


_GPC, _PLAIN, _CONSENTS = (True, False), (False, False), (False, True)  # (gpc, sensitive) segments that may follow


def _layout(section: int, name: str, fields: Mapping[str, int], follows: tuple[bool, bool]) -> Layout:
    spans, end = {}, 0
    for field, count in fields.items():
        spans[field] = (end, end + (count or 1))
        end = spans[field][1]
    first = VERSION if section < _HEADLESS else MSPA_VERSION
    return Layout(section, name, first, fields, spans, end, *follows)


_HEADLESS = 24  # from here on there is no Version
_NATIONAL = 7

LAYOUTS: Mapping[int, Mapping[int, Layout]] = {
    7: {
        1: _layout(7, "usnat", _national(12, 2), _GPC),
        2: _layout(7, "usnat", _national(16, 3), _GPC),
    },
    8: {1: _layout(8, "usca", _CALIFORNIA, _GPC)},
    9: {1: _layout(9, "usva", _first_states(8, 0), _PLAIN)},
    10: {1: _layout(10, "usco", _first_states(7, 0), _GPC)},
    11: {1: _layout(11, "usut", _first_states(8, 0, {"SensitiveDataProcessingOptOutNotice": 0}), _PLAIN)},
    12: {1: _layout(12, "usct", _first_states(8, 3), _GPC)},
    13: {1: _layout(13, "usfl", _later_states(8, 3), _PLAIN)},
    14: {1: _layout(14, "usmt", _later_states(8, 3, _SHARING), _GPC)},
    15: {1: _layout(15, "usor", _later_states(11, 3), _GPC)},
    16: {1: _layout(16, "ustx", _later_states(8, 0), _GPC)},
    17: {1: _layout(17, "usde", _later_states(9, 5), _GPC)},
    18: {1: _layout(18, "usia", _IOWA, _GPC)},
    19: {1: _layout(19, "usne", _later_states(8, 0), _GPC)},
    20: {1: _layout(20, "usnh", _later_states(8, 3), _GPC)},
    21: {1: _layout(21, "usnj", _later_states(10, 5), _GPC)},
    22: {1: _layout(22, "ustn", _later_states(8, 0), _GPC)},
    23: {1: _layout(23, "usmn", _later_states(8, 0), _GPC)},
    24: {1: _layout(24, "usmd", _newest_states({}), _GPC)},
    25: {1: _layout(25, "usin", _newest_states({CHILD: 0}), _CONSENTS)},
    26: {1: _layout(26, "usky", _newest_states({CHILD: 0}), _CONSENTS)},
    27: {1: _layout(27, "usri", _newest_states({CHILD: 0}), _CONSENTS)},
}
"""GPP section id -> version -> layout."""


def layout_of(section: int, version: int, bits: int) -> Layout | None:
    """The layout of a core segment of ``bits`` bits, None for an unknown version."""
    versions = LAYOUTS[section]
    if section == _NATIONAL and version == 1 and bits >= VERSION_BITS + 2 * versions[2].size:
        return versions[2]
    return versions.get(version)
