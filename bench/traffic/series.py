"""One series as it would come from a file: conversions per minute, perhaps with their upstream step, labelled.

Rules: everything follows from the seed: shape, level, time zone, noise, delays, benign events, faults. Seeds below
1,000 are for choosing settings, 1,000 to 1,999 for validation, 2,000 and above for reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.traffic import faults as broken_by
from bench.traffic.calendar import DAY, WEEK, draw_calendar
from bench.traffic.faults import Fault, Intensity
from bench.traffic.noise import benign, delayed, demand_noise, rate
from bench.traffic.shapes import SHAPES, bursts, demand

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
LEARN_WEEKS, JUDGED_WEEKS = 3, 3


@dataclass(frozen=True)
class Series:
    """A labelled series.

    Attributes:
        seed: it follows from.
        shape: of the day.
        level: mean conversions per minute, healthy.
        start: epoch minute of row 0.
        value: conversions per minute.
        upstream: upstream events per minute, None where there is no such column.
        lost: rows that never arrived.
        faults: in order.
        steps: rows of benign lasting steps.
        delay: mean minutes between upstream event and conversion.
        launch: first row with traffic.
    """

    seed: int
    shape: str
    level: float
    start: int
    value: NDArray[np.int64]
    upstream: NDArray[np.int64] | None
    lost: NDArray[np.bool_]
    faults: list[Fault]
    steps: list[int]
    delay: float
    launch: int


def make(
    seed: int, *, weeks: int = LEARN_WEEKS + JUDGED_WEEKS, learn: int = LEARN_WEEKS, faults: bool = True
) -> Series:
    """The series of this seed."""
    rng = np.random.default_rng([77, seed])
    n = weeks * WEEK
    shape, level = SHAPES[seed % len(SHAPES)], LEVELS[(seed // len(SHAPES)) % len(LEVELS)]
    calendar = draw_calendar(rng, n)
    people = demand(shape, calendar, rng)
    factor, steps = benign(rng, n)
    machines = bursts(calendar, rng)
    people = people * factor * demand_noise(rng, n)
    conversion, rate_steps = rate(rng, calendar.local, calendar.weekday)
    converting_machines = rng.random() < 0.5
    has_upstream = rng.random() < 0.7
    scale = level / float((people * conversion).mean())
    launch = int(rng.integers(3, 13)) * DAY + int(rng.integers(DAY)) if rng.random() < 0.2 else 0
    rough = float(math.exp(rng.uniform(math.log(5e-4), math.log(0.03))))
    moved = int(rng.choice([-180, -120, 120, 180, 240]))
    shifted = np.roll(people, moved) / np.maximum(people, 1e-9)
    healthy = Intensity(people * scale, conversion, shifted)
    broken = Intensity(healthy.upstream.copy(), healthy.rate.copy(), shifted)
    planned = broken_by.plan(rng, learn * WEEK, n, upstream=has_upstream) if faults else []
    for kind, start, end in planned:
        broken_by.apply(kind, start, end, broken, rng)
    if any(kind == "outage" for kind, _, _ in planned):
        machines = _silenced(machines, planned)
    kernel_seed = int(rng.integers(2**31))
    means, delay = _conversions(healthy, kernel_seed)
    bad, _ = _conversions(broken, kernel_seed)
    labels = [_label(*row, healthy, broken, means, bad, rough, has_upstream=has_upstream) for row in planned]
    seen = Intensity(rng.poisson(broken.upstream * rng.gamma(1 / rough, rough, n)).astype(float), broken.rate, shifted)
    bad, _ = _conversions(seen, kernel_seed)
    value = rng.poisson(bad + (machines * level if converting_machines else 0.0))
    upstream = seen.upstream.astype(np.int64) + rng.poisson(machines * scale * (1.2 if converting_machines else 1.0))
    value[:launch] = 0
    upstream[:launch] = 0
    lost = _lost(rng, n)
    return Series(
        seed, shape, level, calendar.start, value, upstream if has_upstream else None, lost, labels,
        sorted(steps + rate_steps), delay, launch,
    )  # fmt: skip


def _conversions(means: Intensity, kernel_seed: int) -> tuple[NDArray[np.float64], float]:
    """Conversions by the minute they come in: rate and fault apply where the conversion would be sent."""
    arrived, delay = delayed(means.upstream, np.random.default_rng(kernel_seed))
    return arrived * means.rate, delay


def _silenced(machines: NDArray[np.float64], planned: list[tuple[str, int, int]]) -> NDArray[np.float64]:
    """Machines stand still in an outage, too."""
    out = machines.copy()
    for kind, start, end in planned:
        if kind.startswith("outage"):
            out[start:end] = 0.0
    return out


def _label(
    kind: str, start: int, end: int, healthy: Intensity, broken: Intensity,
    means: NDArray[np.float64], bad: NDArray[np.float64], rough: float, *, has_upstream: bool,
) -> Fault:  # fmt: skip
    rows = slice(start, end)
    # Against the state just before: an earlier lasting fault is the normal by then.
    before = slice(max(0, start - 30), start)
    scale = float(bad[before].sum()) / max(float(means[before].sum()), 1e-9) or 1.0
    sure = broken_by.surest(means[rows] * scale, bad[rows], rough)
    if has_upstream:
        again = float(broken.upstream[before].sum()) / max(float(healthy.upstream[before].sum()), 1e-9) or 1.0
        sure = max(sure, broken_by.surest(healthy.upstream[rows] * again, broken.upstream[rows], rough))
    return Fault(kind, start, end, sure >= broken_by.SURE)


def _lost(rng: np.random.Generator, n: int) -> NDArray[np.bool_]:
    lost = rng.random(n) < rng.choice([0.0, 0.0002, 0.003])
    for _ in range(int(rng.integers(3))):
        start = int(rng.integers(n))
        lost[start : start + int(rng.integers(5, 180))] = True
    return np.asarray(lost)
