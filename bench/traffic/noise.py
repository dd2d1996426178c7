"""Wandering demand with short and long memory, rough minutes, and benign events: campaigns, newsletters, redesigns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEK = 7 * 1440


def wander(rng: np.random.Generator, n: int, sd: float, memory: float) -> Floats:
    """Autoregressive log-noise of order 1.

    Args:
        rng: source of randomness.
        n: minutes.
        sd: standard deviation.
        memory: minutes after which 1/e is left.
    """
    keep = math.exp(-1 / memory)
    steps = rng.normal(0, sd * math.sqrt(1 - keep * keep), n).tolist()
    out, value = [0.0] * n, rng.normal(0, sd)
    for i, step in enumerate(steps):
        value = keep * value + step
        out[i] = value
    return np.array(out)


def demand_noise(rng: np.random.Generator, n: int) -> Floats:
    """Factor of the demand: a fast and a slow wander."""
    fast = wander(rng, n, rng.uniform(0.01, 0.07), rng.choice([20, 50, 120]))
    slow = wander(rng, n, rng.uniform(0.03, 0.12), rng.choice([300, 700, 2000]))
    return np.asarray(np.exp(fast + slow))


def benign(rng: np.random.Generator, n: int) -> tuple[Floats, list[int]]:
    """Factor of the demand by events nobody should be woken for, and the rows of lasting steps among them."""
    factor, weeks = np.ones(n), n / WEEK
    for _ in range(rng.poisson(0.7 * weeks)):
        start, length = int(rng.integers(n)), int(rng.integers(60, 500))
        factor[start : start + length] *= rng.uniform(1.15, 2.0)
    for _ in range(rng.poisson(0.8 * weeks)):
        start = int(rng.integers(n))
        tail = np.arange(min(300, n - start))
        factor[start : start + len(tail)] *= 1 + rng.uniform(0.3, 1.6) * np.exp(-tail / rng.uniform(20, 60))
    steps = []
    if rng.random() < 0.4:
        at = int(rng.integers(n))
        factor[at:] *= rng.choice([rng.uniform(0.8, 0.95), rng.uniform(1.05, 1.25)])
        steps.append(at)
    return factor, steps


def rate(rng: np.random.Generator, local: NDArray[np.int64], weekday: NDArray[np.int64]) -> tuple[Floats, list[int]]:
    """Conversions per upstream event: own daily shape, weekends, wander, perhaps a redesign; rows of its steps."""
    n = len(local)
    hour = local % 1440 / 60
    swing, peak = rng.uniform(0.0, 0.45), rng.uniform(0, 24)
    shape = 1 + swing * np.cos((hour - peak) / 24 * 2 * np.pi)
    shape = shape * np.where(weekday >= 5, rng.uniform(0.85, 1.15), 1.0)
    noise = wander(rng, n, rng.uniform(0.0, 0.06), rng.choice([100, 600, 2000]))
    out, steps = shape * np.exp(noise) * math.exp(rng.uniform(math.log(0.02), math.log(0.4))), []
    if rng.random() < 0.3:
        at = int(rng.integers(n))
        out[at:] *= rng.choice([rng.uniform(0.85, 0.95), rng.uniform(1.05, 1.2)])
        steps.append(at)
    return np.clip(out, 0, 0.9), steps


def delayed(upstream: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Upstream events by the minute their conversions come in, and the mean delay in minutes."""
    if rng.random() < 0.35:
        return upstream, 0.0
    mean = float(rng.choice([1.5, 3.0, 5.0, 8.0, 12.0]))
    lags = np.arange(int(6 * mean) + 2)
    kernel = np.exp(-lags / mean) if rng.random() < 0.6 else lags * np.exp(-2 * lags / mean)
    kernel /= kernel.sum()
    return np.convolve(upstream, kernel)[: len(upstream)], mean
