"""What breaks, when, and whether anybody could see it.

Rules: faults come after the learning weeks, one at a time; a fault is *findable* when one who knows the true intensity,
the rough minutes and the delays would be sure of it (``SURE`` standard deviations over the best window of the fault)
from the conversions or the upstream counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.traffic.calendar import DAY
from tamis.anomaly.deviance import signed_deviance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SURE = 7.0
UNSURE_SD = 0.03  # even an oracle does not know the level better
# Kind: (minutes from, to, needs an upstream step).
KINDS: dict[str, tuple[int, int, bool]] = {
    "outage": (20, 60, False),
    "outage_repeat": (20, 60, False),
    "drop30": (30, 60, False),
    "drop50": (30, 60, False),
    "drop80": (30, 60, False),
    "spike3x": (10, 30, False),
    "missing": (30, 60, True),
    "tagbreak": (720, 720, True),
    "duplicates": (60, 180, True),
    "consent_step": (360, 360, False),
    "season_shift": (1440, 1440, False),
}
LASTING = {"consent_step"}


@dataclass(frozen=True)
class Fault:
    """What was broken, first and last+1 row, whether it lasts beyond, and whether anybody could see it."""

    kind: str
    start: int
    end: int
    findable: bool


@dataclass
class Intensity:
    """Means per minute that a fault changes: upstream, and conversions per upstream event."""

    upstream: Floats
    rate: Floats
    shifted: Floats  # factor of the demand if the clock of the source were wrong by hours


def plan(rng: np.random.Generator, first: int, n: int, *, upstream: bool) -> list[tuple[str, int, int]]:
    """Kinds and rows, every 0.6 to 2 days; an outage is followed by its repeat within a day."""
    kinds = [kind for kind, (_, _, needs) in KINDS.items() if kind != "outage_repeat" and (upstream or not needs)]
    weights = np.array([0.3 if kind in {"consent_step", "season_shift"} else 1.0 for kind in kinds])
    found: list[tuple[str, int, int]] = []
    at = first + int(rng.integers(DAY // 2))
    while True:
        kind = str(rng.choice(kinds, p=weights / weights.sum()))
        end = at + int(rng.integers(KINDS[kind][0], KINDS[kind][1] + 1))
        if end + DAY >= n:
            return found
        found.append((kind, at, end))
        if kind == "outage":
            again = end + int(rng.integers(120, 1200))
            end = again + (end - at)
            found.append(("outage_repeat", again, end))
        at = end + int(rng.uniform(0.6, 2.0) * DAY) + (DAY if kind in {"consent_step", "season_shift"} else 0)


def apply(kind: str, start: int, end: int, broken: Intensity, rng: np.random.Generator) -> None:
    """Change the means of these rows (of all later ones where the fault lasts)."""
    rows, length = slice(start, end), end - start
    if kind in {"outage", "outage_repeat"}:
        broken.upstream[rows] = 0.0
    elif kind.startswith("drop"):
        broken.upstream[rows] *= 1 - int(kind[4:]) / 100
    elif kind == "spike3x":
        broken.upstream[rows] *= 3
    elif kind == "missing":
        broken.rate[rows] = 0.0
    elif kind == "tagbreak":
        broken.rate[rows] *= 1 - 0.5 * np.minimum(np.arange(length) / 360, 1)
    elif kind == "duplicates":
        broken.rate[rows] *= 2
    elif kind == "consent_step":
        factor = rng.uniform(0.5, 0.7)
        if rng.random() < 0.5:
            broken.upstream[start:] *= factor
        else:
            broken.rate[start:] *= factor
    else:
        broken.upstream[rows] *= broken.shifted[rows]


def surest(healthy: Floats, broken: Floats, rough: float) -> float:
    """The largest surprise that the broken means give over windows of the fault, for one who knows the healthy ones."""
    best = 0.0
    for window in {len(healthy), max(1, len(healthy) // 2), min(len(healthy), 60), min(len(healthy), 15)}:
        for first in range(0, len(healthy) - window + 1, max(1, window // 2)):
            usual = float(healthy[first : first + window].sum())
            seen = float(broken[first : first + window].sum())
            spread = rough / window + UNSURE_SD**2
            best = max(best, abs(signed_deviance(seen, max(usual, 1e-9), spread)))
    return best
