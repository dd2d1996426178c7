"""What a privacy law makes of silence and of signals inside an event, as the policy states it.

Rules: regulations are judged apart, each by its own record and its own reading of signals; a signal that a regulation
does not read says nothing under it. Values only: reading is in ``consent.inline``, judging in ``consent.judge``.
"""

from collections.abc import Mapping

import msgspec

from tamis.domain.consent.strings.tcf_judgement import Vendor

OPT_OUTS = ("sale", "share", "targeted_advertising", "sensitive")
"""Kinds of processing that US consent strings speak of (``strings.us_signals``)."""


class TcfReading(msgspec.Struct, frozen=True, kw_only=True):
    """How a TC string is read.

    Attributes:
        purposes: canonical purpose -> TCF purposes (1 to 24) that must all be permitted.
        vendor: judged as this vendor; None = judged as the publisher itself (first party).
        core: as the publisher, the purposes of the core segment count instead of the publisher's segment.
    """

    purposes: Mapping[str, tuple[int, ...]]
    vendor: Vendor | None = None
    core: bool = False


class Regulation(msgspec.Struct, frozen=True, kw_only=True):
    """One regulation.

    Attributes:
        id: e.g. "gdpr"; part of the scope of stored consent.
        silence: whether what nobody refused is allowed (opt-out); False: only a yes allows (opt-in).
        sole_source: signals inside the event are the only source of consent: without a yes there, nothing is allowed,
            whatever is stored; a stored refusal still denies.
        tcf: None when TC strings are not read.
        opt_outs: each of ``OPT_OUTS`` -> purposes that it refuses, by GPC, US Privacy and GPP strings.
        gpp_sections: ids of the GPP sections read; empty = all those of the United States.
        consent_mode: canonical purpose -> Google consent types that it needs.
        hold: events may wait for a decision, where the policy holds events at all.
        aliases: other names that statements have for it (``regulation_names``).
    """

    id: str
    silence: bool = False
    sole_source: bool = False
    tcf: TcfReading | None = None
    opt_outs: Mapping[str, tuple[str, ...]] = {}
    gpp_sections: frozenset[int] = frozenset()
    consent_mode: Mapping[str, tuple[str, ...]] = {}
    hold: bool = True
    aliases: tuple[str, ...] = ()


class Minors(msgspec.Struct, frozen=True, kw_only=True):
    """Who is a child, for whom nothing is allowed.

    Attributes:
        unknown_is_adult: whose age is not known counts as adult; configuration must say so.
        adult_from: age in years.
        age: paths to an age in years.
        child: paths to a flag; true = a child.
    """

    unknown_is_adult: bool = True
    adult_from: int = 18
    age: tuple[str, ...] = ()
    child: tuple[str, ...] = ()


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Which regulation an event falls under; several that are named apply together, none named means all of them.

    Attributes:
        sites: site label -> regulation id.
        country, region: paths to an ISO 3166-1 alpha-2 code and to a part of an ISO 3166-2 one ("CA" or "US-CA").
        countries: "US" or "US-CA" -> regulation id; the region's line wins over the country's.
    """

    sites: Mapping[str, str] = {}
    country: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    countries: Mapping[str, str] = {}
