"""The healthy band of a window: it spans every innocent explanation of a count.

Rules: with a known season a window may stand at the recent level or at the level of the day, and above also at the
usual level; before that the mere recent count is an explanation too; before anything is known only a collapse is a
surprise, never a rise. Every band leaves room below (campaigns end, noise wanders) and more above (campaigns,
newsletters); levels are those from before the window.
"""

from math import inf
from typing import NamedTuple

from tamis.anomaly.season import Range, Tier
from tamis.anomaly.trail import Mark

LOW = (0.85, 0.6, 0.5)  # share of the expectation that is still healthy, by tier
HIGH = (2.0, 2.5)  # the same upwards
LEAST_EXTRA = 4.0  # events above the band that are never a spike
LEAST_SPREAD = (2e-3, 1e-2, 4e-2)  # tau^2, by tier


class Band(NamedTuple):
    """Sums over a window.

    Attributes:
        observed: what was counted.
        low, mid, high: healthy range and expectation; ``high`` may be infinite.
        tier: how well the season is known.
    """

    observed: float
    low: float
    mid: float
    high: float
    tier: int


def healthy_band(window: int, start: Mark, now: Mark, count: float, usual: Range, *, quick: bool) -> Band:
    """The band of the window that begins at ``start`` and ends with the present minute.

    Args:
        window: minutes.
        start: mark before the first minute of the window.
        now: mark before the present minute.
        count: events of the present minute.
        usual: usual range of the present minute.
        quick: judge by the quick level rather than the slow one.
    """
    observed = now.observed - start.observed + count
    tier = max(usual.tier, start.tier)
    level = start.level * window
    if tier == Tier.NONE:
        return Band(observed, LOW[tier] * level, level, inf, tier)
    low, high = now.low - start.low + usual.low, now.high - start.high + usual.high
    if tier == Tier.SEEN:
        low, mid, high = min(low, level), level, max(high, level)
    else:
        recent = start.quick if quick else start.slow
        low, mid = min(recent, start.day) * low, recent * (now.mid - start.mid + usual.mid)
        high = max(recent, start.day, 1.0) * high
    return Band(observed, LOW[tier] * low, mid, HIGH[tier] * high + LEAST_EXTRA, tier)
