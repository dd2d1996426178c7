"""Which events people look at: a fixed share of each rule's events and of those without a rule.

Rules: the choice follows from the event's keyed tag alone, so a batch done again chooses the same and no sender can
know; nothing of a subject is in a sample; the event's name is told where the rule lists it, or where the event may go
to the destination whose fields are shown and the name is a plain word.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from tamis.domain.bundle import Bundle
from tamis.domain.event import Event
from tamis.domain.keyed import token
from tamis.domain.plan import Plan
from tamis.domain.sites import site_of
from tamis.domain.standing import Standing

_HOUR_MS = 3_600_000
_MILLION = 1_000_000
_DRAW_BYTES = 4
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z _.:-]{0,63}")


class SamplingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How many.

    Attributes:
        tagged, untagged: per million events.
        rules: rule id -> per million, where another rate holds.
        fields_of: id of the destination whose fields are shown, "" for none.
    """

    tagged: int
    untagged: int
    rules: Mapping[str, int] = {}
    fields_of: str = ""


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """What a sample says, without its place and time."""

    id: str
    per_million: int
    site: str
    name: str
    shows: bool


class Sampler:
    """Chooses for one bundle.

    Args:
        bundle: rules, destinations, policy.
        policy: see ``SamplingPolicy``.
        key: 32 bytes (key label "review").
    """

    __slots__ = ("_draw", "_id", "_number", "_rates", "_sites", "bundle", "project")

    def __init__(self, bundle: Bundle, policy: SamplingPolicy, key: bytes) -> None:
        self.bundle = bundle.hash
        self._id = token(key, b"tamis/review/id/v1\0")
        self._sites = bundle.policy.sites
        rules = [compiled.rule.id for compiled in bundle.rules.rules]
        self._rates = {rule: policy.rules.get(rule, policy.tagged) for rule in rules} | {"": policy.untagged}
        self._draw = {rule: _bound(rate) for rule, rate in self._rates.items()}
        ids = [destination.id for destination in bundle.destinations]
        self._number = ids.index(policy.fields_of) if policy.fields_of in ids else -1
        self.project = bundle.destinations[self._number].project if self._number >= 0 else None

    def drawn(self, plans: Sequence[Plan], tags: Sequence[bytes]) -> list[int]:
        """Places of the events that are chosen, by their rules and tags."""
        draw = self._draw
        return [
            n for n, (plan, tag) in enumerate(zip(plans, tags, strict=True)) if tag[-_DRAW_BYTES:] < draw[plan.rule]
        ]

    def look(self, event: Event, plan: Plan, standing: Standing, position: str) -> Chosen:
        """What is told of a chosen event; ``position`` is that of its source, as text."""
        shows = self._number >= 0 and any(send.number == self._number for send in standing.sends)
        known = event.name in plan.names or (shows and _PLAIN_NAME.fullmatch(event.name) is not None)
        name = event.name if known else ""
        return Chosen(self._id(position.encode()), self._rates[plan.rule], site_of(event, self._sites), name, shows)


def hour_of(at: int) -> int:
    """Start of the hour, ms."""
    return at - at % _HOUR_MS


def _bound(per_million: int) -> bytes:
    """Draws below it are chosen; one million: all of them."""
    top = 1 << 8 * _DRAW_BYTES
    bound = per_million * top // _MILLION
    return b"\xff" * (_DRAW_BYTES + 1) if bound >= top else bound.to_bytes(_DRAW_BYTES, "big")
