"""Explains a leaf to people: who got the event and why, who did not and why not, and that the verdict follows.

Rules: everything comes from the leaf and the rules it cites, nothing from a key or a database; the verdict is
re-evaluated and compared with the one stated. Whether the leaf is in the log is asked elsewhere (``verify-bundle``).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tamis.domain.bundle import Bundle
from tamis.domain.consent.facts import CUT, decode_scopes
from tamis.domain.consent.judge import ALLOWED
from tamis.domain.consent.verdict import Said
from tamis.domain.outcome import Outcome
from tamis.services.reason_words import OUTCOMES, STATUSES, words
from tamis.services.rejudge import Rejudge

_ROLES = {"person": "the person", "device": "the device", "linked": "identities linked to it"}
_NO_RULE = "-"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One destination.

    Attributes:
        destination: its id.
        gets: whether it got the event.
        reason: word of the log.
        why: the reason as a sentence.
        needs: purposes it asks for; empty without the rules.
    """

    destination: str
    gets: bool
    reason: str
    why: str
    needs: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf in words.

    Attributes:
        position: where the event came from.
        seq: index of the leaf.
        received_at, occurred_at: UTC.
        outcome, reason: words of the log.
        sentence: both as a sentence.
        rule: id and version of the rule that matched, "" without.
        rule_title: what its owner calls it.
        regulations: it was judged under.
        verdicts: by destination.
        facts: what was known, one sentence each.
        bundle: hash of the rules.
        reevaluated: "same", "different", "not decided" (no consent was asked for), or "not done".
        note: what a re-evaluation gave or why there is none.
    """

    position: str
    seq: int
    received_at: str
    occurred_at: str
    outcome: str
    reason: str
    sentence: str
    rule: str
    rule_title: str
    regulations: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    facts: tuple[str, ...]
    bundle: str
    reevaluated: str
    note: str


class Explainer:
    """Explains leaves."""

    def __init__(self) -> None:
        self._rejudge = Rejudge()

    def explain(self, value: bytes, source: bytes | None) -> Explanation:
        """One leaf.

        Args:
            value: the leaf as stored.
            source: canonical text of the rules it cites, None when they are not at hand.

        Raises:
            ValueError: it is no leaf of a decision.
        """
        try:
            leaf = msgspec.json.decode(value)
            return self._explained(leaf, source)
        except (
            msgspec.DecodeError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError,
        ) as error:  # fmt: skip
            raise ValueError(f"not a leaf of a decision: {error}") from None

    def _explained(self, leaf: Mapping[str, Any], source: bytes | None) -> Explanation:
        done, note = self._reevaluated(leaf, source)
        bundle = self._bundle(source) if done in {"same", "different"} else None
        place, rule = leaf["src"], "" if leaf["rule"] == _NO_RULE else leaf["rule"]
        return Explanation(
            position=f"{place['t']}/{place['p']}/{place['o']}/{place['i']}",
            seq=leaf["seq"],
            received_at=_time(leaf["ts"]),
            occurred_at=_time(leaf["at"]),
            outcome=leaf["out"],
            reason=leaf["why"],
            sentence=_sentence(leaf),
            rule=rule.replace("#", " version "),
            rule_title=_title(bundle, rule),
            regulations=tuple(leaf["reg"].split("+")) if leaf["reg"] != "-" else (),
            verdicts=tuple(_verdicts(leaf, bundle)),
            facts=tuple(_facts(leaf)),
            bundle=leaf["bundle"],
            reevaluated=done,
            note=note,
        )

    def _bundle(self, source: bytes | None) -> Bundle | None:
        return None if source is None else self._rejudge.bundle(source)

    def _reevaluated(self, leaf: Mapping[str, Any], source: bytes | None) -> tuple[str, str]:
        if source is None:
            return "not done", f"the rules with the hash {leaf['bundle']} are not at hand"
        try:
            found = self._rejudge.replayed(leaf, source)
        except ValueError as error:
            return "not done", str(error)
        if found is None:
            return "not decided", "consent was not asked for"
        if found.agrees(leaf):
            return "same", "the recorded facts give the recorded verdict under the recorded rules"
        given = ", ".join(f"{name}: {reason}" for name, reason in found.destinations.items())
        return "different", f"the recorded facts give {found.outcome} ({found.reason}); {given}"


def _time(ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(ms / 1000, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _sentence(leaf: Mapping[str, Any]) -> str:
    outcome, reason = str(leaf["out"]), str(leaf["why"])
    said = OUTCOMES.get(outcome, outcome)
    if outcome in {Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICT}:
        return said
    return f"{said}: {words(reason)}"


def _title(bundle: Bundle | None, rule: str) -> str:
    name = rule.partition("#")[0]
    rules = bundle.rules.rules if bundle else ()
    return next((each.rule.title for each in rules if each.rule.id == name), "")


def _verdicts(leaf: Mapping[str, Any], bundle: Bundle | None) -> Iterator[Verdict]:
    purposes = {each.id: each.purposes for each in bundle.destinations} if bundle else {}
    name = leaf["rule"].partition("#")[0]
    extra = next((each.rule.purposes for each in bundle.rules.rules if each.rule.id == name), ()) if bundle else ()
    sent = leaf["out"] in {Outcome.ACCEPTED, "released"}
    for destination, reason in leaf["dest"].items():
        gets = sent and reason in ALLOWED
        needs = tuple(sorted({*purposes.get(destination, ()), *extra}))
        yield Verdict(destination=destination, gets=gets, reason=reason, why=words(reason), needs=needs)


def _facts(leaf: Mapping[str, Any]) -> Iterator[str]:
    facts, records = leaf["facts"], leaf["rev"]
    for role, name in _ROLES.items():
        if role in records:
            known = records[role]
            yield f"{name}: " + ("no consent record" if known is None else f"consent record, version {known}")
        found = facts.get(role)
        if isinstance(found, str):
            yield f"{name}: {STATUSES.get(found, found)}"
        for (regulation, purpose), spoken in decode_scopes(found).items() if isinstance(found, dict) else ():
            then, now = _said(spoken.then), _said(spoken.now)
            when = f"{then}, when it happened and when it was received" if then == now else (
                f"{then}, when it happened; {now}, when it was received"
            )  # fmt: skip
            yield f"{name}, {regulation}, {purpose}: {when}"
    if "age" in facts:
        yield f"age: {facts['age']}"
    if "bot" in facts:
        yield f"made by software: {facts['bot']}"
    if "users" in facts:
        yield f"persons known on the device: {facts['users']}"
    if CUT in facts:
        yield f"more is known than one entry can state ({facts[CUT]:,} bytes), so nothing of it is used"
    yield from _inline(leaf["inline"])


def _said(said: Said) -> str:
    text = STATUSES.get(said.status, said.status)
    if not said.effective_at:
        return text
    ends = f" until {_time(said.expires_at)}" if said.expires_at is not None else ""
    return f"{text} since {_time(said.effective_at)}{ends}"


def _inline(inline: Any) -> Iterator[str]:
    if not isinstance(inline, dict):
        yield "in the event itself: nothing about consent"
        return
    for regulation, said in inline.items():
        pairs = {"everything": said} if isinstance(said, str) else said
        for purpose, reason in pairs.items():
            yield f"in the event itself, {regulation}, {purpose}: {words(reason)}"
