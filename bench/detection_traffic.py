"""Seeded traffic per minute as it really is, with labelled faults: opening hours, bursts, campaigns, rough noise.

Rules: everything follows from the seed; benign events (campaigns, newsletters, midnight bursts, redesign steps) carry
no label; a fault is *findable* when even one who knows the true intensity and roughness would be sure of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tamis.anomaly.deviance import signed_deviance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DAY = 1440
FIRST_MINUTE = 28_401_120  # Monday, 1 January 2024, 00:00 UTC
FAULTS = {"outage": 30, "drop80": 40, "drop50": 45, "spike3x": 20}
FACTOR = {"outage": 0.0, "drop80": 0.2, "drop50": 0.5, "spike3x": 3.0}
SURE = 8.0


@dataclass(frozen=True)
class Fault:
    """What was broken, first and last+1 minute of the series, and whether anybody could see it."""

    kind: str
    start: int
    end: int
    findable: bool


@dataclass(frozen=True)
class Series:
    """Counts per minute from ``FIRST_MINUTE`` on, and what happened in them."""

    shape: str
    level: float
    counts: NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)


def _shop(hour: NDArray[np.floating]) -> NDArray[np.floating]:
    midday, evening = np.exp(-0.5 * ((hour - 12.5) / 3.2) ** 2), np.exp(-0.5 * ((hour - 20) / 2.0) ** 2)
    return np.asarray(0.12 + 0.9 * (midday + evening))


def _office(hour: NDArray[np.floating]) -> NDArray[np.floating]:
    open_ = (hour >= 8.5) & (hour < 18)
    lunch = (hour >= 12) & (hour < 13)
    return np.asarray(np.where(open_, 1.0 - 0.4 * lunch, 0.004))


def _batch(hour: NDArray[np.floating]) -> NDArray[np.floating]:
    minute = np.round((hour % 1) * 60).astype(int)
    return 0.4 + 0.5 * (hour > 7) + np.where(minute == 0, 2.0, 0.0) + np.where((hour < 1) & (minute < 2), 8.0, 0.0)


SHAPES: dict[str, Callable[[NDArray[np.floating]], NDArray[np.floating]]] = {
    "shop": _shop,
    "office": _office,
    "batch": _batch,
}
_WEEK = {
    "shop": (1.0, 1.0, 1.0, 1.05, 1.15, 1.3, 1.2),
    "office": (1.1, 1.0, 1.0, 1.0, 0.85, 0.06, 0.03),
    "batch": (1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9),
}


def make(seed: int, shape: str, level: float, weeks: int = 5, *, quiet_weeks: int = 3, faults: bool = True) -> Series:
    """One series; faults come after ``quiet_weeks``, every 0.7 to 2.5 days."""
    rng = np.random.default_rng([seed, round(level * 10), sorted(SHAPES).index(shape)])
    n = weeks * 7 * DAY
    minute = np.arange(n)
    day = minute // DAY
    profile = SHAPES[shape](minute % DAY / 60)
    week = np.array(_WEEK[shape])[day % 7]
    base = profile / profile.mean() * week * level * 1.01 ** (minute / (7 * DAY))
    base *= _benign(rng, n) * np.exp(_wander(rng, n, rng.uniform(0.05, 0.15), rng.choice([50, 300])))
    rough = float(rng.choice([0.001, 0.01, 0.04]))
    healthy = base * rng.gamma(1 / rough, rough, n)
    broken, labels = healthy.copy(), []
    if faults:
        labels = _break(rng, base, broken, quiet_weeks * 7 * DAY, rough)
    return Series(shape, level, rng.poisson(broken), labels)


def _wander(rng: np.random.Generator, n: int, sd: float, memory: float) -> NDArray[np.floating]:
    keep = math.exp(-1 / memory)
    steps = rng.normal(0, sd * math.sqrt(1 - keep * keep), n)
    out, value = np.empty(n), 0.0
    for i in range(n):
        value = keep * value + steps[i]
        out[i] = value
    return out


def _benign(rng: np.random.Generator, n: int) -> NDArray[np.floating]:
    """Campaigns with sharp ends, newsletters that decay, one lasting step (a redesign)."""
    factor = np.ones(n)
    for _ in range(rng.poisson(n / (7 * DAY))):
        start, length = int(rng.integers(n)), int(rng.integers(60, 360))
        factor[start : start + length] *= rng.uniform(1.15, 1.6)
    for _ in range(rng.poisson(n / (7 * DAY))):
        start = int(rng.integers(n))
        tail = np.arange(min(180, n - start))
        factor[start : start + len(tail)] *= 1 + rng.uniform(0.3, 0.8) * np.exp(-tail / 40)
    factor[int(rng.integers(n)) :] *= rng.uniform(0.85, 1.2)
    return factor


def _break(
    rng: np.random.Generator, base: NDArray[np.floating], broken: NDArray[np.floating], first: int, rough: float
) -> list[Fault]:
    found, at, kinds = [], first + int(rng.integers(DAY)), list(FAULTS)
    while at < len(base) - DAY:
        kind = kinds[int(rng.integers(len(kinds)))]
        end = at + FAULTS[kind]
        expected = float(base[at:end].sum())
        spread = rough / FAULTS[kind] + 0.05**2
        sure = abs(signed_deviance(expected * FACTOR[kind], max(expected, 1e-9), spread)) >= SURE
        broken[at:end] *= FACTOR[kind]
        found.append(Fault(kind, at, end, sure))
        at = end + int(rng.uniform(0.7, 2.5) * DAY)
    return found
