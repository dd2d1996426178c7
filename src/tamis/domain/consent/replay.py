"""Re-evaluates an audit leaf: the facts it states, under the bundle it names, give the verdict it states.

Rules: pure; the leaf and the bundle are all that is needed; the steps are those of the decision itself
(``consent.case``), only the facts come from the leaf. Leaves of events that were not decided (invalid, duplicate,
conflict; held and not readable any more) have no verdict. A leaf whose rule, regulation or facts the bundle does not
know is refused (``ReplayError``).
Not handled here: whether the facts are those of the record (the leaf cites its revision), signatures, inclusion.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from tamis.domain.bundle import Bundle
from tamis.domain.consent.case import UNKNOWN_AGE, Case, verdict
from tamis.domain.consent.facts import CUT, Scopes, decode_inline, decode_scopes, spoken_of
from tamis.domain.consent.gather import LINKED
from tamis.domain.consent.judge import Voices
from tamis.domain.outcome import Decision, HeldOutcome, Outcome, Reason
from tamis.domain.route import Route, Routes

NO_RULE = "-"
_NO_REGULATION = "-"
_UNDECIDED = frozenset((Outcome.INVALID.value, Outcome.DUPLICATE.value, Outcome.CONFLICT.value))

_WAITING = frozenset((Outcome.HELD.value, HeldOutcome.FORWARDED.value))


class ReplayError(ValueError):
    """The leaf cannot be re-evaluated under this bundle: it was not decided under it, or was not written by tamis."""


class Replayed(msgspec.Struct, frozen=True):
    """What a leaf's facts come to.

    Attributes:
        decision: "allow", "deny" or "unknown".
        outcome: "accepted", "denied" or "held".
        reason: of the event.
        destinations: destination -> reason.
    """

    decision: str
    outcome: str
    reason: str
    destinations: dict[str, str]

    def agrees(self, leaf: Mapping[str, Any]) -> bool:
        """Whether the leaf states this verdict."""
        if leaf.get("dest") != self.destinations:
            return False
        outcome, reason = leaf.get("out"), leaf.get("why")
        if outcome in _WAITING:
            return self.decision == Decision.UNKNOWN.value
        if outcome == HeldOutcome.RELEASED.value:
            return (self.outcome, self.reason) == (Outcome.ACCEPTED.value, reason)
        if outcome == Outcome.DENIED.value and self.decision == Decision.UNKNOWN.value:
            return reason in (self.reason, Reason.UNDECIDED.value)
        return (outcome, reason) == (self.outcome, self.reason)


def reevaluate(leaf: Mapping[str, Any], bundle: Bundle) -> Replayed | None:
    """The verdict of a leaf; None when its event was never decided. For many leaves: ``Replayer``.

    Raises:
        ReplayError: see the class.
    """
    return Replayer(bundle).reevaluate(leaf)


class Replayer:
    """Re-evaluates leaves under one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._policy = bundle.policy
        self._routes = Routes(bundle)
        self._laws = {law.id: law for law in bundle.policy.judged()}

    def reevaluate(self, leaf: Mapping[str, Any]) -> Replayed | None:
        """See the function of this name."""
        if leaf.get("out") in _UNDECIDED or leaf.get("reg") == _NO_REGULATION:
            return None
        try:
            route, case = self._route(leaf["rule"]), self._case(leaf)
            found = verdict(route, case.reasons(route), holds=not case.bot and self._policy.holds(case.regulations))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ReplayError(f"this leaf cannot be re-evaluated under this bundle: {error}") from error
        destinations = msgspec.json.decode("{" + found.destinations + "}")["dest"]
        return Replayed(found.decision.value, found.outcome, found.reason, destinations)

    def _route(self, rule: str) -> Route:
        return self._routes.unplanned if rule == NO_RULE else self._routes.by_rule[rule.partition("#")[0]]

    def _case(self, leaf: Mapping[str, Any]) -> Case:
        facts, laws = leaf["facts"], tuple(self._laws[name] for name in leaf["reg"].split("+"))
        named = list(leaf["rev"])
        primary = "person" if "person" in named else "device"
        states = tuple(facts[role] if isinstance(facts.get(role), str) else "" for role in named)
        voices = _Voices(facts, primary, has_record=leaf["rev"].get(primary) is not None)
        voices.second = primary == "person" and "device" in named
        return Case(
            self._policy,
            states,
            voices.voices,
            laws,
            tuple(decode_inline(leaf["inline"], law.id) for law in laws),
            facts.get("age", UNKNOWN_AGE),
            leaf["at"],
            leaf["ts"],
            cut=CUT in facts,
            bot=facts.get("bot", ""),
        )


class _Voices:
    """The facts of a leaf by scope."""

    def __init__(self, facts: Mapping[str, Any], primary: str, *, has_record: bool) -> None:
        self._scopes: dict[str, Scopes] = {
            role: decode_scopes(raw)
            for role in ("person", "device", LINKED)
            if isinstance(raw := facts.get(role, {}), dict)
        }
        self._primary = primary
        self._has_record = has_record
        self._users = facts.get("users", 0)
        self.second = False

    def voices(self, regulation: str, purpose: str) -> Voices:
        def said(role: str) -> Any:
            return spoken_of(self._scopes.get(role, {}), regulation, purpose)

        return Voices(
            primary=said(self._primary) if self._has_record else None,
            device=said("device") if self.second else None,
            linked=said(LINKED),
            users=self._users,
        )
