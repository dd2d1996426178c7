"""One decision, leg by leg: the same steps whether the facts come from records or from a leaf.

Rules: a destination that the event is too late for gets nothing; a destination gets an event only when every purpose it
and the rule need is allowed under every regulation that applies. A child, and an unknown age that the policy does not
take for adult, is allowed nothing, nor is a bot the policy denies; an erased or restricted record of any identity named
in the event allows nothing.
"""

from collections.abc import Callable

import msgspec

from tamis.domain.bots import BotAction
from tamis.domain.bundle import Policy
from tamis.domain.consent.inline import Finding
from tamis.domain.consent.judge import ALLOWED, OPEN, Voices, best, judge, state_reason, strongest
from tamis.domain.consent.regulation import Regulation
from tamis.domain.outcome import Decision, Outcome, Reason
from tamis.domain.route import Leg, Route

CHILD, UNKNOWN_AGE = "child", "unknown"


class Case(msgspec.Struct, frozen=True):
    """Everything a decision depends on.

    Attributes:
        states: of the records of the identities that the event names, ``verdict.state_of``; empty = it names nobody.
        voices: (regulation, purpose) -> what is known of the subject.
        regulations, findings: all that apply, and what the event says under each.
        age: "adult", "child" or "unknown".
        at, now: time of the event and of the decision, ms.
        cut: the facts are too many to be stated in a leaf: nothing is allowed.
        bot: why the event counts as a bot's, "" when it does not.
    """

    policy: Policy
    states: tuple[str, ...]
    voices: Callable[[str, str], Voices]
    regulations: tuple[Regulation, ...]
    findings: tuple[Finding, ...]
    age: str
    at: int
    now: int
    cut: bool = False
    bot: str = ""

    def reasons(self, route: Route) -> list[Reason]:
        """The reason of each leg."""
        if self.cut:
            return unrecordable(route)
        barred = self._barred()
        asked: dict[tuple[str, str], Reason] = {}
        return [self._leg(leg, barred, asked) for leg in route.legs]

    def _barred(self) -> list[Reason]:
        """What denies every destination."""
        if not self.states:
            return [Reason.NO_SUBJECT]
        reasons = [reason for state in self.states if (reason := state_reason(state)) is not None]
        if not self.regulations:
            reasons.append(Reason.UNKNOWN_REGULATION)
        if self.age == CHILD:
            reasons.append(Reason.CHILD)
        elif self.age == UNKNOWN_AGE and not self.policy.minors.unknown_is_adult:
            reasons.append(Reason.AGE_UNKNOWN)
        if self.bot and self.policy.bots.get(self.bot) == BotAction.DENY:
            reasons.append(Reason.BOT)
        return reasons

    def _leg(self, leg: Leg, barred: list[Reason], asked: dict[tuple[str, str], Reason]) -> Reason:
        if self.now - self.at > leg.destination.max_lateness_ms:
            return Reason.LATE
        reasons = list(barred)
        if self.states and not any(map(state_reason, self.states)):
            for purpose in leg.purposes:
                question = purpose, leg.destination.valid_at
                if question not in asked:
                    known = purpose in self.policy.purposes
                    asked[question] = self._purpose(*question) if known else Reason.UNKNOWN_PURPOSE
                reasons.append(asked[question])
        return strongest(reasons)

    def _purpose(self, purpose: str, valid_at: str) -> Reason:
        """The strongest reason of all regulations; when all allow, the best ground."""
        pairs = zip(self.regulations, self.findings, strict=True)
        reasons = [
            judge(self.voices(law.id, purpose), said, purpose, law, self.policy, valid_at, self.at, self.now)
            for law, said in pairs
        ]
        return best(reasons) if ALLOWED.issuperset(reasons) else strongest(reasons)


def unrecordable(route: Route) -> list[Reason]:
    """The reasons of the legs of an event whose facts do not fit into a leaf."""
    return [Reason.UNRECORDABLE] * len(route.legs)


class Verdict(msgspec.Struct, frozen=True):
    """What follows from the reasons of a route's legs.

    Attributes:
        decision: of the event: ALLOW when some leg is allowed, else UNKNOWN when some is.
        outcome: "accepted", "denied", or "held": what is unknown lets nothing out.
        reason: the event's: the best ground when allowed, else a missing record, else the strongest.
        allowed: legs that get the event.
        destinations: ``"dest":{...}`` leaf fragment.
    """

    decision: Decision
    outcome: str
    reason: str
    allowed: tuple[Leg, ...]
    destinations: str


def verdict(route: Route, reasons: list[Reason], *, holds: bool = False) -> Verdict:
    """The verdict of a route whose legs have these reasons; with ``holds`` what is unknown may wait."""
    pairs = list(zip(route.legs, reasons, strict=True))
    allowed = tuple(leg for leg, reason in pairs if reason in ALLOWED)
    why, decision = strongest(reasons or [route.closed]), Decision.DENY
    if allowed:
        why, decision = best([reason for reason in reasons if reason in ALLOWED]), Decision.ALLOW
    elif not OPEN.isdisjoint(reasons):
        why, decision = Reason.NO_RECORD if Reason.NO_RECORD in reasons else why, Decision.UNKNOWN
    outcome = Outcome.ACCEPTED if allowed else Outcome.DENIED
    if holds and decision is Decision.UNKNOWN and any(r in OPEN and leg.destination.hold for leg, r in pairs):
        outcome = Outcome.HELD
    texts = ",".join(f'"{leg.destination.id}":"{reason.value}"' for leg, reason in pairs)
    return Verdict(decision, outcome.value, why.value, allowed, f'"dest":{{{texts}}}')
