"""What a subject's consent lets an event of one route do: the cached form of a decision.

Rules: ``Standing`` holds the outcome, the pseudonym for each destination that may get the event and the leaf fragments
that state the facts, together with the span of event times and of now for which all of it stays true; outside the span
it must be made anew. It holds no time of its own.
"""

from typing import Final

import msgspec


class Send(msgspec.Struct, frozen=True, gc=False):
    """One destination that may get the event.

    Attributes:
        number: its place in the bundle.
        pseudonym: the subject's there.
        previous: that of the epoch before while an overlap of epochs runs, else "".
    """

    number: int
    pseudonym: str
    previous: str = ""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A decision that can be applied to every event within its span.

    Attributes:
        outcome: "accepted", "denied" or "held"; of an event that had been held: "released", "denied" or "forwarded".
        reason: the event's reason.
        sends: destinations that get it; empty unless accepted or released.
        since, until: event times, ms: ``since <= occurred_at < until``.
        now_since, now_until: ms, ``now_since <= received_at < now_until``; each partition has a clock of its own.
        max_lateness_ms: ``received_at - occurred_at`` at most this.
        destinations: ``"dest":{...}`` leaf fragment.
        facts: ``"facts":...,"inline":...,"out":...,"pid":...,"reg":...,`` leaf fragment.
        revisions: ``"rev":...,"rule":"`` leaf fragment.
        decision: "allow", "deny", or "unknown": denied only because nobody has said anything yet, so a later yes could
            let it out; ``domain.outcome.Decision``.
        bot: why the event counts as a bot's, "" when it does not: its destinations are told.
    """

    outcome: str
    reason: str
    sends: tuple[Send, ...]
    since: int
    until: int
    now_since: int
    now_until: int
    max_lateness_ms: int
    destinations: str
    facts: str
    revisions: str
    decision: str = "deny"
    bot: str = ""


def restated(standing: Standing, outcome: str, reason: str) -> Standing:
    """The same decision in other words; its leaf says them too."""
    before, after = (f',"out":"{word}","pid":' for word in (standing.outcome, outcome))
    return msgspec.structs.replace(
        standing, outcome=outcome, reason=reason, facts=standing.facts.replace(before, after, 1)
    )


NO_DESTINATIONS: Final = '"dest":{}'
"""Leaf fragment of an event that consent is not asked about."""


def facts_of_nobody(outcome: str) -> str:
    """The ``"facts":...,"reg":...,`` leaf fragment of such an event."""
    return f'"facts":{{}},"inline":"-","out":"{outcome}","pid":null,"reg":"-",'
