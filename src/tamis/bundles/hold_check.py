"""Holding of events: times that make sense, and words that have an effect.

Rules: an event waits a day at most, since the topics it waits in are kept for three; waiting shorter than consent takes
to get through, and switching off in detail what is off as a whole, is probably not meant.
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.durations import milliseconds
from tamis.bundles.problem import Problem
from tamis.domain.bundle import Hold

NO_HOLD = "none"
LONGEST_MS = 86_400_000
SHORT_MS = 5_000


def check_hold(policy: Place, destinations: list[Place]) -> Iterator[Problem]:
    """All faults of holding."""
    hold = policy.at("hold")
    places = [place.at("hold") for _, place in policy.at("regulations").members()]
    places += [destination.at("hold") for destination in destinations]
    if hold.value == NO_HOLD:
        for place in places:
            if isinstance(place.value, bool):
                yield place.warning("nothing is held anyway: the policy says hold: none")
        return
    first, last = (_ms(hold.at(key), usual) for key, usual in (("first", Hold().first_ms), ("last", Hold().last_ms)))
    if first is None or last is None:
        return
    if first + last > LONGEST_MS:
        yield hold.error("events would be held for more than a day")
    if first < SHORT_MS:
        yield hold.at("first").warning("shorter than consent takes to get through: most events will wait both times")
    if destinations and all(each.at("hold").value is False for each in destinations):
        yield destinations[0].at("hold").warning("no destination holds events: say hold: none in the policy")


def _ms(place: Place, usual: int) -> int | None:
    """The duration there, None when it cannot be read (its shape is checked elsewhere)."""
    if place.value is None:
        return usual
    try:
        return milliseconds(str(place.value))
    except ValueError:
        return None
