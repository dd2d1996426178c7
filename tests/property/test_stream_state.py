"""A stream detector taken over in the middle of anything goes on as the one it was taken from, within bounds."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.anomaly.stream_detector import StreamDetector, Verdict

START = 28_401_120 * 60
MOST_BYTES = 100_000


def _values(seed: int, n: int, *, whole: bool) -> list[tuple[float | None, float | None]]:
    """A stream with an upstream step, gaps and breaks; whole numbers or not."""
    rng, found = random.Random(seed), list[tuple[float | None, float | None]]()
    broken = rng.randrange(n)
    for i in range(n):
        mean = rng.choice((0.2, 4.0, 60.0)) if rng.random() < 0.002 else 20.0 + 10.0 * math.sin(i / 200)
        value: float = max(0.0, rng.gauss(mean, mean**0.5)) * (0.0 if broken <= i < broken + 40 else 1.0)
        upstream = None if seed % 3 == 0 or rng.random() < 0.01 else float(rng.randrange(50, 90))
        found.append((None if rng.random() < 0.01 else float(round(value)) if whole else value, upstream))
    return found


def _play(detector: StreamDetector, rows: list[tuple[float | None, float | None]], start: int) -> list[Verdict]:
    return [detector.observe(START + 60 * (start + i), *row) for i, row in enumerate(rows)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), cut=st.integers(0, 1_500), whole=st.booleans())
def test_a_restored_stream_goes_on_as_if_nothing_had_happened(seed: int, cut: int, whole: bool) -> None:
    rows = _values(seed, 1_600, whole=whole)
    one, other = StreamDetector(60), StreamDetector(60)
    _play(one, rows[:cut], 0)
    encoded = one.encode()
    assert len(encoded) <= MOST_BYTES
    other.restore(encoded)
    assert other.encode() == encoded
    assert _play(other, rows[cut:], cut) == _play(one, rows[cut:], cut)
    assert other.encode() == one.encode()
    assert (other.is_warm, other.has_upstream) == (one.is_warm, one.has_upstream)
