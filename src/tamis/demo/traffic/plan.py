"""When and how much: start, length, day shape and the stretch in which one rule's tagging is broken.

Rules: times are simulated, never read from a clock; density is fixed and length follows from the number of events, so
every series is as strong in a short run as in a long one; the fault lies in the middle, late enough for calm before it
and early enough for its repair to be noticed. Fewer minutes than ``LEAST_FAULT_MINUTES`` hold no fault.
"""

from math import exp

import msgspec

MINUTE_MS = 60_000
DAY_MINUTES = 1_440
EVENTS_PER_MINUTE = 550  # around the start of the default day, all sites and all outcomes
LEAST_FAULT_MINUTES = 24
START_MS = 1_795_698_000_000  # Thursday, 26 November 2026, 13:00 UTC: three working days before it warm the detector

_BREAK_AT, _REPAIR_AT = 0.4, 0.68
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday
_WEEK = 7
_SATURDAY = 5


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's events leave their site under a wrong name for a while.

    Attributes:
        site: host of the site.
        rule: id of the rule whose tagging breaks.
        wrong_name: event name sent instead, None: the event is not sent at all.
        begins_ms, ends_ms: simulated time, by the time of the event.
    """

    site: str
    rule: str
    wrong_name: str | None
    begins_ms: int
    ends_ms: int

    def hits(self, site: str, rule: str, at_ms: int) -> bool:
        """Whether an event of ``rule`` on ``site`` at ``at_ms`` is affected."""
        return self.begins_ms <= at_ms < self.ends_ms and rule == self.rule and site == self.site


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        start_ms: first moment of simulated traffic.
        minutes: simulated length.
        seed: everything else follows from it.
        fault: None for a healthy run.
    """

    start_ms: int
    minutes: int
    seed: int = 7
    fault: Fault | None = None

    @property
    def end_ms(self) -> int:
        """First moment after the traffic."""
        return self.start_ms + self.minutes * MINUTE_MS


def plan_for(events: int, *, fault: bool = True, seed: int = 7, start_ms: int = START_MS) -> Plan:
    """A run of about ``events`` events (at least one simulated minute).

    Args:
        events: how many are wanted; the traffic gives a few percent more or less.
        fault: break the newsletter tagging of the shop midway, if the run is long enough to show and repair it.
        seed: seed.
        start_ms: simulated start.
    """
    minutes = max(1, round(events / EVENTS_PER_MINUTE))
    broken = None
    if fault and minutes >= LEAST_FAULT_MINUTES:
        broken = Fault(
            site="shop.example.test",
            rule="newsletter_signup",
            wrong_name="Newsletter Form Submit v2",
            begins_ms=start_ms + round(minutes * _BREAK_AT) * MINUTE_MS,
            ends_ms=start_ms + round(minutes * _REPAIR_AT) * MINUTE_MS,
        )
    return Plan(start_ms=start_ms, minutes=minutes, seed=seed, fault=broken)


def evening_shop(minute: int) -> float:
    """Share of a shop's peak traffic in an epoch minute (UTC): lunch and evening humps, a little more at weekends."""
    hour = minute % DAY_MINUTES / 60
    weekend = 1.15 if _weekday(minute) >= _SATURDAY else 1.0
    return weekend * (0.08 + 0.92 * max(_hump(hour, 13.4, 3.6), _hump(hour, 20.3, 2.4)))


def office_hours(minute: int) -> float:
    """Share of a law firm's peak traffic in an epoch minute (UTC): office hours, quiet weekends."""
    hour = minute % DAY_MINUTES / 60
    weekend = 0.3 if _weekday(minute) >= _SATURDAY else 1.0
    return weekend * (0.06 + 0.94 * max(_hump(hour, 10.5, 2.4), _hump(hour, 14.6, 2.8)))


def _weekday(minute: int) -> int:
    return (minute // DAY_MINUTES + _FIRST_WEEKDAY) % _WEEK


def _hump(hour: float, centre: float, width: float) -> float:
    return exp(-0.5 * ((hour - centre) / width) ** 2)
