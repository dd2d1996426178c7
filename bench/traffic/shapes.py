"""Daily and weekly shapes of demand, with what is sharp in them: opening hours, hourly batches, bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.traffic.calendar import DAY, Calendar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHAPES = ("shop", "office", "evening", "night_silent", "flat", "market")
WEEKS = {
    "shop": (1.0, 0.98, 1.0, 1.05, 1.15, 1.3, 1.2),
    "office": (1.1, 1.0, 1.0, 1.0, 0.85, 0.06, 0.03),
    "evening": (0.95, 0.95, 0.95, 1.0, 1.1, 1.25, 1.3),
    "night_silent": (1.0, 1.0, 1.05, 1.0, 1.0, 0.7, 0.5),
    "flat": (1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 0.95),
    "market": (1.0, 1.0, 1.0, 1.05, 1.1, 1.2, 0.02),
}


def _bump(hour: Floats, centre: float, width: float) -> Floats:
    away = (hour - centre + 12) % 24 - 12
    return np.asarray(np.exp(-0.5 * (away / width) ** 2))


def profile(shape: str, hour: Floats, rng: np.random.Generator) -> Floats:
    """Relative demand by local hour (0..24), somewhat different for each series."""
    move = rng.uniform(-1.0, 1.0)
    if shape == "shop":
        return 0.10 + 0.9 * _bump(hour, 12.5 + move, 3.2) + 0.9 * _bump(hour, 20 + move / 2, 2.0)
    if shape == "office":
        opens, closes = rng.choice([8.0, 8.5, 9.0]), rng.choice([17.0, 18.0])
        lunch = (hour >= 12) & (hour < 13)
        return np.where((hour >= opens) & (hour < closes), 1.0 - rng.uniform(0.1, 0.5) * lunch, 0.004)
    if shape == "evening":
        return 0.05 + 0.35 * _bump(hour, 13 + move, 4) + 1.2 * _bump(hour, 21 + move, 1.8)
    if shape == "night_silent":
        return 0.001 + np.clip(np.sin((hour - 6.5 - move) / 16 * np.pi), 0, None) * ((hour > 6) & (hour < 23.5))
    if shape == "market":
        return np.where((hour >= 10) & (hour < 20), 0.6 + 0.5 * _bump(hour, 17, 2), 0.02)
    return 1.0 + 0.15 * _bump(hour, 14 + move, 5)


def demand(shape: str, calendar: Calendar, rng: np.random.Generator) -> Floats:
    """Relative demand per minute, mean about 1: shape, weekdays (stepped or smooth at midnight), holidays, growth."""
    local = calendar.local
    n = len(local)
    hour = local % DAY / 60
    base = profile(shape, hour, rng)
    week = np.array(WEEKS[shape]) * rng.uniform(0.95, 1.05, 7)
    factor = week[calendar.weekday]
    if rng.random() < 0.5:
        kernel = np.ones(181) / 181
        factor = np.convolve(np.pad(factor, 90, mode="edge"), kernel, mode="valid")
    base = base / base.mean() * factor
    _holidays(base, calendar, week, rng)
    return np.asarray(base * rng.uniform(0.98, 1.03) ** (np.arange(n) / (7 * DAY)))


def _holidays(base: Floats, calendar: Calendar, week: Floats, rng: np.random.Generator) -> None:
    day = np.floor_divide(calendar.local, DAY)
    for holiday in calendar.holidays:
        on = day == holiday
        like = week[6] / week[calendar.weekday[on]] if rng.random() < 0.5 else rng.uniform(0.35, 0.8)
        factor = np.where(on, 1.0, 0.0)
        if rng.random() < 0.5:
            factor = np.convolve(np.pad(factor, 60, mode="edge"), np.ones(121) / 121, mode="valid")
        base *= 1 - factor + factor * (np.mean(like) if np.ndim(like) else like)


def bursts(calendar: Calendar, rng: np.random.Generator) -> Floats:
    """What machines add, relative to the mean of people: bursts at midnight or at night, batches on the hour."""
    added = np.zeros(len(calendar.local))
    clock = calendar.local % DAY if rng.random() < 0.5 else np.arange(len(added)) % DAY
    if rng.random() < 0.45:
        _burst(added, clock, int(rng.choice([0, 0, 0, 1, 210, 150])), int(rng.integers(1, 6)), rng.uniform(2, 10), rng)
    if rng.random() < 0.25:
        minute, size = int(rng.choice([0, 0, 5, 30])), rng.uniform(1, 5)
        for hour in range(24):
            _burst(added, clock, hour * 60 + minute, int(rng.integers(1, 3)), size, rng)
    return added


def _burst(
    added: Floats, clock: NDArray[np.int64], at: int, length: int, size: float, rng: np.random.Generator
) -> None:
    """One burst a day, each of its own size; now and then one does not come."""
    starts = np.flatnonzero(clock == at)
    for start in starts:
        if rng.random() > 0.02:
            added[start : start + length] += size * rng.lognormal(0, 0.15)
