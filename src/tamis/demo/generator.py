"""Visitors of a shop and a law firm's site, as timed records for ``events.raw`` and ``consent.raw``.

Rules: the same plan gives the same records; records come in order of time; before the first moment of the plan only
consent statements come (what returning visitors said in the past months); every visitor answers the banner before or
during the visit, or never; a few bodies arrive twice, late, broken, or straight from a captured SDK request.
Not handled here: pacing (the caller decides how fast simulated time passes), partitions (producers choose by key).
"""

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from tamis.demo.traffic import captured, rates
from tamis.demo.traffic.bodies import Visit, batch, call, identify
from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.malformed import broken
from tamis.demo.traffic.plan import MINUTE_MS, Plan
from tamis.demo.traffic.sessions import Step, steps
from tamis.demo.traffic.sites import SITES, Site
from tamis.demo.traffic.statements import statement
from tamis.demo.traffic.visitors import Visitor, inline_signal, nobody, other_choice, visitor
from tamis.records.topics import Topic

EVENTS, CONSENT = Topic.EVENTS_RAW.value, Topic.CONSENT_RAW.value
WARM_UP_MINUTES = 25  # visits that began before the plan and are still going on
PAST_MS = 90 * 24 * 3_600_000  # how long ago returning visitors answered

_BANNER_MS = 4_000


class TimedRecord(NamedTuple):
    """What a producer sends.

    Attributes:
        at_ms: when it reaches the broker, simulated ms; the record's timestamp.
        topic: "events.raw" or "consent.raw", without prefix.
        key: the device's id, as producers use it.
        value: the body.
        events: how many events the ledger must count for it (0 on ``consent.raw``).
    """

    at_ms: int
    topic: str
    key: bytes
    value: bytes
    events: int


class Traffic:
    """All records of one plan.

    Args:
        plan: when and how much.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._dice = Dice(plan.seed)
        self._captured = captured.load()
        self._queue: list[tuple[int, int, TimedRecord]] = []
        self._number = 0
        self._audience: dict[str, list[Visitor]] = {}

    def records(self) -> Iterator[TimedRecord]:
        """Every record, in order of time; those before ``plan.start_ms`` are consent statements of the past."""
        begins = self.plan.start_ms - WARM_UP_MINUTES * MINUTE_MS
        for site in SITES:
            self._audience[site.host] = [self._returning(site, begins) for _ in range(site.audience)]
        arrivals = [(begins + self._gap(site, begins), number) for number, site in enumerate(SITES)]
        heapq.heapify(arrivals)
        while arrivals[0][0] < self.plan.end_ms:
            at_ms, number = arrivals[0]
            yield from self._due(at_ms)
            self._visit(SITES[number], at_ms)
            heapq.heapreplace(arrivals, (at_ms + self._gap(SITES[number], at_ms), number))
        yield from self._due(self.plan.end_ms)

    def _due(self, until_ms: int) -> Iterator[TimedRecord]:
        while self._queue and self._queue[0][0] < until_ms:
            record = heapq.heappop(self._queue)[2]
            if record.at_ms >= self.plan.start_ms or record.topic == CONSENT:
                yield record

    def _gap(self, site: Site, at_ms: int) -> int:
        rate = site.sessions_per_minute * site.shape(at_ms // MINUTE_MS)
        return round(self._dice.expovariate(rate) * MINUTE_MS)

    def _send(self, at_ms: int, topic: str, who: Visitor, value: bytes, events: int) -> None:
        self._number += 1
        heapq.heappush(
            self._queue, (at_ms, self._number, TimedRecord(at_ms, topic, who.device.encode(), value, events))
        )

    def _returning(self, site: Site, begins: int) -> Visitor:
        self._number += 1
        who = visitor(self._dice, site, self._number)
        if who.choice is not None:
            visit = self._visit_of(site, who, 0)
            said = begins - self._dice.randrange(MINUTE_MS, PAST_MS)
            arrives = begins - self._dice.randrange(1, MINUTE_MS)
            self._send(arrives, CONSENT, who, statement(self._dice, visit, said, who.choice, None), 0)
        return who

    def _visit_of(self, site: Site, who: Visitor, at_ms: int) -> Visit:
        campaign = self._dice.weighted([(campaign, campaign.weight) for campaign in site.campaigns])
        inline = inline_signal(self._dice, who)
        return Visit(site=site, visitor=who, campaign=campaign, session=at_ms, inline=inline)

    def _visit(self, site: Site, at_ms: int) -> None:
        """Plans everything one visit sends."""
        dice, audience = self._dice, self._audience[site.host]
        new = dice.happens(rates.NEW_VISITOR)
        who = visitor(dice, site, self._number) if new else dice.choice(audience)
        if dice.happens(rates.NOBODY):
            who = nobody(who)
        visit = self._visit_of(site, who, at_ms)
        if new and who.choice is not None:
            said = at_ms + dice.randrange(_BANNER_MS // 2, _BANNER_MS)
            self._send(said + dice.randrange(20, 400), CONSENT, who, statement(dice, visit, said, who.choice, None), 0)
            audience.append(who)
        found = steps(dice, site)
        for step in found:
            self._step(visit, step, at_ms + step.after_ms)
        if not new and dice.happens(rates.CHANGES_MIND):
            self._change_mind(visit, at_ms + found[-1].after_ms)

    def _change_mind(self, visit: Visit, at_ms: int) -> None:
        who = visit.visitor
        choice = other_choice(self._dice, who.choice)
        value = statement(self._dice, visit, at_ms, choice, who.choice)
        self._send(at_ms + self._dice.randrange(50, 900), CONSENT, who, value, 0)
        who.choice = choice

    def _step(self, visit: Visit, step: Step, at_ms: int) -> None:
        fault, dice = self.plan.fault, self._dice
        if fault is not None and fault.hits(visit.site.host, step.rule, at_ms):
            if fault.wrong_name is None:
                return
            step = Step(
                after_ms=step.after_ms, page=step.page, event=fault.wrong_name, rule="", properties=step.properties
            )
        delay = dice.randrange(30, 700)
        if dice.happens(rates.LATE):
            delay += dice.randrange(60_000, 900_000)
        sent = call(dice, visit, step, at_ms, at_ms + delay)
        if step.rule == "account_created":
            self._account(visit, step, sent, at_ms, delay)
        else:
            self._deliver(visit, at_ms + delay, orjson.dumps(sent), 1)
        self._strays(visit, sent, at_ms + delay)

    def _account(self, visit: Visit, step: Step, sent: dict[str, Any], at_ms: int, delay: int) -> None:
        naming = identify(self._dice, visit, step, at_ms, at_ms + delay)
        if self._dice.happens(rates.FROM_SERVER):
            self._deliver(visit, at_ms + delay, batch([naming, sent], at_ms + delay), 2)
            return
        self._deliver(visit, at_ms + delay, orjson.dumps(naming), 1)
        self._deliver(visit, at_ms + delay + 40, orjson.dumps(sent), 1)

    def _deliver(self, visit: Visit, at_ms: int, value: bytes, events: int) -> None:
        self._send(at_ms, EVENTS, visit.visitor, value, events)
        if self._dice.happens(rates.TWICE):
            self._send(at_ms + self._dice.randrange(200, 30_000), EVENTS, visit.visitor, value, events)

    def _strays(self, visit: Visit, sent: dict[str, Any], at_ms: int) -> None:
        dice = self._dice
        if dice.happens(rates.BROKEN):
            self._send(at_ms + dice.randrange(1, 500), EVENTS, visit.visitor, broken(dice, sent, at_ms), 1)
        if dice.happens(rates.CAPTURED):
            request = dice.choice(self._captured)
            self._send(at_ms + dice.randrange(1, 500), EVENTS, visit.visitor, request.body.encode(), request.events)
