"""What each destination receives, and on which condition, in words: made from the configuration alone.

Rules: total over valid bundles; a Markdown page for people who do not read YAML; nothing is said that the bundle does
not hold. The page names the bundle's hash, so that it can be compared with what an audit leaf cites.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tamis.bundles.hold_check import NO_HOLD
from tamis.domain.bundle import Bundle

Values = Mapping[str, Any]

_VALID_AT = {
    "both": "when the event happened and when it is decided",
    "event": "when the event happened",
    "now": "when the event is decided",
}
_ALWAYS = (
    ("event_id, proof_id", "ids of the event, made for this destination alone"),
    ("subject", "pseudonym of the person, made for this destination alone"),
    ("pid_prev", "the person's pseudonym of the key epoch before, for some weeks after a rotation"),
    ("name, rule, stage, value", "what the rule says of the event"),
    ("experiment, variant", "where the rule belongs to an experiment: which, and what the person saw of it"),
    ("occurred_at", "when it happened, rounded down as said above"),
)
_KINDS = {
    "ip": "only the network: /24 of an IPv4 address, /48 of an IPv6 address",
    "url": "only scheme, host and path of the address",
    "referrer": "only the host of the address",
    "user_agent": "only browser, system and class of device",
}
_ACTIONS = {
    "keep": "as it is, up to 1,024 characters; addresses without query and fragment",
    "pseudonymise": "as a pseudonym, made for this person and destination alone",
    "scrub": "as it is, without e-mail and network addresses, numbers of telephones, cards and accounts, and secrets",
}


def describe(bundle: Bundle) -> str:
    """The page."""
    whole = json.loads(bundle.source)
    lines = ["# What each destination receives", "", f"Made from the configuration with the hash `{bundle.hash}`.", ""]
    for destination in whole["destinations"]:
        lines += _destination(destination, whole["rules"])
    return "\n".join([*lines, *_shared(whole["policy"]), *_consent(whole["policy"])]) + "\n"


def _destination(destination: Values, rules: list[Values]) -> Iterator[str]:
    name, title = destination["id"], destination.get("title")
    yield f"## {name}: {title}" if title else f"## {name}"
    yield ""
    yield f"- Topic `{destination['topic']}`."
    yield f"- Receives {_events(destination, rules)}."
    yield (
        f"- Only with consent to {_list(destination['purposes'])}, valid "
        f"{_VALID_AT[destination.get('valid_at', 'both')]}."
    )
    extra = {
        rule["id"]: rule["purposes"]
        for rule in rules
        if rule.get("purposes") and (destination.get("accepts") == "all" or name in rule["destinations"])
    }
    for rule, purposes in extra.items():
        yield f"- Events of `{rule}` need consent to {_list(purposes)} as well."
    lateness, bucket = destination.get("max_lateness", "72h"), destination.get("time_bucket", "1ms")
    yield f"- Nothing older than {lateness}; times are rounded down to {bucket}."
    needed = sorted({*destination["purposes"], *(purpose for more in extra.values() for purpose in more)})
    yield f"- Told in `crm.retractions` when somebody refuses {' or '.join(needed)}, asks for restriction or erasure."
    yield ""
    yield "| field | from | what is done to it |"
    yield "|---|---|---|"
    for field, what in _ALWAYS:
        yield f"| {field} | | {what} |"
    for field, how in destination["fields"].items():
        if how["action"] != "drop":
            yield f"| {field} | `{how['from']}` | {_action(how)} |"
    yield ""
    dropped = [how for how in destination["fields"].values() if how["action"] == "drop"]
    for how in dropped:
        yield f"Left out on purpose: `{how['from']}`" + (f" ({how['why']})." if "why" in how else ".")
    if dropped:
        yield ""


def _events(destination: Values, rules: list[Values]) -> str:
    if destination.get("accepts") == "all":
        return "all events, also those no rule names"
    named = [f"`{rule['id']}`" for rule in rules if destination["id"] in rule["destinations"] and _active(rule)]
    return f"events of {', '.join(named)}" if named else "no event: no active rule names it"


def _active(rule: Values) -> bool:
    return bool(rule.get("mode", "active") == "active")


def _action(how: Values) -> str:
    action = str(how["action"])
    if action == "generalise":
        return f"generalised: {_KINDS[how['as']]}"
    if action == "truncate":
        return f"truncated: only the first {how['chars']} characters"
    if action == "bucket":
        return f"rounded down to {'a multiple of ' if 'size' in how else ''}{how.get('size') or how['every']}"
    return f"{action}: {_ACTIONS[action]}"


def _list(items: list[str]) -> str:
    return " and ".join(items)


def _shared(policy: Values) -> Iterator[str]:
    yield "## What two destinations can have in common"
    yield ""
    meant = [f"`{name}`" for name in policy.get("shared", ())]
    yield (
        "Pseudonyms and ids of one destination are found in no other. Of one event two of them can both hold: the "
        "words of its rule"
        + (f", and what the policy names: {', '.join(meant)}." if meant else ", and nothing else the policy names.")
    )
    yield ""


def _consent(policy: Values) -> Iterator[str]:
    yield "## What counts as consent"
    yield ""
    laws: Values = policy.get("regulations") or {policy["regulation"]: {"silence": "deny"}}
    yield "| regulation | when nothing was said | signals inside events |"
    yield "|---|---|---|"
    for name, law in sorted(laws.items()):
        silence = "allowed unless refused" if law["silence"] == "allow" else "not allowed"
        inline = "the only source" if law.get("inline") == "sole_source" else "can only narrow"
        yield f"| {name}{_title(law)} | {silence} | {inline}: {_signals(law)} |"
    yield ""
    yield "| purpose | a yes lives | notice |"
    yield "|---|---|---|"
    for name, purpose in sorted(policy["purposes"].items()):
        age, notice = purpose.get("max_age", "until withdrawn"), purpose.get("notice", "any")
        yield f"| {name}{_title(purpose)} | {age} | {notice} |"
    yield ""
    yield from _hold(policy, laws)
    yield f"Events of unknown place fall under all regulations. Somebody of unknown age counts as {_age(policy)}."


def _hold(policy: Values, laws: Values) -> Iterator[str]:
    hold = policy.get("hold", {})
    if hold == NO_HOLD:
        yield "Events of people who have not decided go nowhere, at once."
        return
    first, last = hold.get("first", "10s"), hold.get("last", "290s")
    never = sorted(name for name, law in laws.items() if law.get("hold") is False)
    under = f" (not under {', '.join(never)})" if never else ""
    yield f"Events of people who have not decided wait {first}, then {last} for the last time{under};"
    yield "what is not released by then goes nowhere."


def _title(values: Values) -> str:
    return f" ({values['title']})" if "title" in values else ""


def _signals(law: Values) -> str:
    read = ["categories"]
    read += ["TC strings"] if "tcf" in law else []
    read += ["GPC, US Privacy and GPP strings"] if "opt_outs" in law else []
    read += ["Consent Mode"] if "consent_mode" in law else []
    return ", ".join(read)


def _age(policy: Values) -> str:
    return "an adult" if policy["minors"]["unknown_age"] == "adult" else "a child, for whom nothing is allowed"
