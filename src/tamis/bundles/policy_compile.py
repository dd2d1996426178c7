"""The checked policy to the types of the domain.

Rules: nothing is checked here; a value that does not fit is a fault.
"""

from collections.abc import Mapping
from typing import Any

from tamis.bundles.durations import milliseconds
from tamis.bundles.hold_check import NO_HOLD
from tamis.bundles.policy_check import SECTIONS
from tamis.domain.bundle import Hold, Policy
from tamis.domain.consent.regulation import Minors, Places, Regulation, TcfReading
from tamis.domain.consent.strings.tcf_judgement import Vendor
from tamis.domain.consent.verdict import major

Values = Mapping[str, Any]


def compile_policy(values: Values, keyed_by_subject: bool) -> Policy:
    """The policy."""
    purposes: Mapping[str, Values] = values["purposes"]
    aliases = {alias: purpose for purpose, entry in purposes.items() for alias in entry.get("aliases", ())}
    identity: Values = values.get("identity", {})
    return Policy(
        purposes=tuple(purposes),
        aliases=aliases | {purpose: purpose for purpose in purposes},
        regulation=values["regulation"],
        regulations=tuple(_regulation(name, law) for name, law in sorted(values.get("regulations", {}).items())),
        places=_places(values.get("places", {})),
        minors=_minors(values["minors"]),
        max_age_ms={p: milliseconds(entry["max_age"]) for p, entry in purposes.items() if "max_age" in entry},
        notices={p: major(entry["notice"]) for p, entry in purposes.items() if "notice" in entry},
        clock_skew_ms=milliseconds(values.get("clock_skew", "1h")),
        max_users=identity.get("max_users_per_device", 3),
        grants_move=identity.get("grants_move", "authenticated") == "authenticated",
        sites=dict(values.get("sites", {})),
        violations=dict(values.get("violations", {})),
        bots={why: action for why, action in values.get("bots", {}).items() if why != "declared_by"},
        declared_bots=tuple(values.get("bots", {}).get("declared_by", ())),
        producers=frozenset(values.get("producers", ())),
        keyed_by_subject=keyed_by_subject,
        time_zone=values.get("time_zone", "UTC"),
        hold=_hold(values.get("hold", {})),
    )


def _hold(hold: Any) -> Hold | None:
    if hold == NO_HOLD:
        return None
    times: Values = hold
    return Hold(**{f"{name}_ms": milliseconds(text) for name, text in times.items()})


def _regulation(name: str, law: Values) -> Regulation:
    return Regulation(
        id=name,
        silence=law["silence"] == "allow",
        hold=law.get("hold", True),
        sole_source=law.get("inline") == "sole_source",
        tcf=_tcf(law["tcf"]) if "tcf" in law else None,
        opt_outs={kind: tuple(named) for kind, named in law.get("opt_outs", {}).items()},
        gpp_sections=frozenset(SECTIONS[section] for section in law.get("gpp_sections", ())),
        consent_mode={purpose: tuple(types) for purpose, types in law.get("consent_mode", {}).items()},
        aliases=tuple(law.get("aliases", ())),
    )


def _tcf(tcf: Values) -> TcfReading:
    vendor = tcf.get("vendor")
    return TcfReading(
        purposes={purpose: tuple(numbers) for purpose, numbers in tcf["purposes"].items()},
        vendor=None if vendor is None else _vendor(vendor),
        core=tcf.get("publisher") == "core",
    )


def _vendor(vendor: Values) -> Vendor:
    declared = (frozenset(vendor.get(key, ())) for key in ("consent", "legitimate_interest", "flexible"))
    return Vendor(vendor["id"], *declared)


def _places(places: Values) -> Places:
    return Places(
        sites=dict(places.get("sites", {})),
        country=tuple(places.get("country", ())),
        region=tuple(places.get("region", ())),
        countries=dict(places.get("countries", {})),
    )


def _minors(minors: Values) -> Minors:
    return Minors(
        unknown_is_adult=minors["unknown_age"] == "adult",
        adult_from=minors.get("adult_from", 18),
        age=tuple(minors.get("age", ())),
        child=tuple(minors.get("child", ())),
    )
