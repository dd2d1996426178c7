"""The consent policy: what its shape alone does not show.

Rules: a vendor's word means one purpose only; the id of a purpose is not a word for another one; regulations, purposes,
sites and GPP sections that are named exist; what may be shared is a time, a value or a path; paths lead to no identity;
a regulation that is listed can be reached.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from tamis.bundles.condition_check import check_path
from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.domain.consent.regulation_names import plain
from tamis.domain.consent.strings.gpp import NAMES

SECTIONS = {name: number for number, name in NAMES.items() if name not in ("header", "integrity")}


def check_policy(policy: Place) -> Iterator[Problem]:
    """All faults of the policy."""
    meaning = {purpose: purpose for purpose, _ in policy.at("purposes").members()}
    for purpose, place in policy.at("purposes").members():
        for alias, at in place.at("aliases").texts():
            if meaning.setdefault(alias, purpose) != purpose:
                yield at.error(f'"{alias}" already stands for the purpose "{meaning[alias]}"')
    for name, shared in policy.at("shared").texts():
        if name not in ("value", "occurred_at"):
            yield from check_path(shared)
    yield from _regulations(policy)
    yield from _places(policy)
    yield from _time_zone(policy)
    for key in ("age", "child"):
        for _, path in policy.at("minors").at(key).texts():
            yield from check_path(path)
    for _, path in policy.at("bots").at("declared_by").texts():
        yield from check_path(path)


def _time_zone(policy: Place) -> Iterator[Problem]:
    name = policy.text("time_zone")
    if name in {"", "UTC"}:  # needs no database of time zones
        return
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # unknown, or no name at all: "../x", "a" * 300
        yield policy.at("time_zone").error(f'unknown time zone "{name}": a name such as Europe/Berlin is needed')


def _regulations(policy: Place) -> Iterator[Problem]:
    known = {name for name, _ in policy.at("regulations").members()}
    if known and policy.text("regulation") not in known:
        yield _unknown(policy.at("regulation"), "regulation", policy.text("regulation"), known)
    yield from _other_names(policy, known)
    purposes = {purpose for purpose, _ in policy.at("purposes").members()}
    for _, law in policy.at("regulations").members():
        for place in (law.at("tcf").at("purposes"), law.at("consent_mode")):
            for purpose, at in place.members():
                if purpose not in purposes:
                    yield _unknown(at, "purpose", purpose, purposes)
        for _, named in law.at("opt_outs").members():
            for purpose, at in named.texts():
                if purpose not in purposes:
                    yield _unknown(at, "purpose", purpose, purposes)
        yield from _signals(law)


def _other_names(policy: Place, known: set[str]) -> Iterator[Problem]:
    meaning = {name: name for name in known}
    for name, law in policy.at("regulations").members():
        for alias, at in law.at("aliases").texts():
            if meaning.setdefault(plain(alias), name) != name:
                yield at.error(f'"{alias}" already stands for the regulation "{meaning[plain(alias)]}"')


def _signals(law: Place) -> Iterator[Problem]:
    tcf = law.at("tcf")
    if isinstance(tcf.value, dict) and ("vendor" in tcf.value) == ("publisher" in tcf.value):
        yield tcf.error("tcf needs exactly one of vendor and publisher: in whose name events are processed")
    for name, at in law.at("gpp_sections").texts():
        if name not in SECTIONS:
            yield _unknown(at, "GPP section", name, set(SECTIONS))
    if law.text("silence") == "allow" and isinstance(law.value, dict) and "opt_outs" not in law.value:
        yield law.at("silence").warning(
            "silence allows and there are no opt_outs: GPC and opt-out strings change nothing"
        )


def _places(policy: Place) -> Iterator[Problem]:
    known = {name for name, _ in policy.at("regulations").members()} or {policy.text("regulation")}
    labels = {at.value for _, at in policy.at("sites").members() if isinstance(at.value, str)}
    places = policy.at("places")
    for site, at in places.at("sites").members():
        if site not in labels:
            yield _unknown(at, "site", site, labels)
    for key in ("sites", "countries"):
        for _, at in places.at(key).members():
            if isinstance(at.value, str) and at.value not in known:
                yield _unknown(at, "regulation", at.value, known)
    for _, path in (*places.at("country").texts(), *places.at("region").texts()):
        yield from check_path(path)
    if isinstance(places.value, dict) and ("country" in places.value) != ("countries" in places.value):
        yield places.error("country (where an event says it) and countries (what that means) need each other")
    yield from _unreached(policy, places)


def _unreached(policy: Place, places: Place) -> Iterator[Problem]:
    laws = list(policy.at("regulations").members())
    reached = {str(at.value) for key in ("sites", "countries") for _, at in places.at(key).members()}
    for name, at in laws:
        if name not in reached and len(laws) > 1:
            yield at.warning(f'no place leads to "{name}": it applies only where the place is unknown')


def _unknown(place: Place, noun: str, name: str, known: set[str]) -> Problem:
    return place.error(f'unknown {noun} "{name}": there is {", ".join(sorted(known)) or "none"}')
