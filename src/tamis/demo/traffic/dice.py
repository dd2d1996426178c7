"""Seeded chance: everything random in the demo comes through here.

Rules: the same seed gives the same bytes on every machine and Python version that keeps ``random.Random`` stable.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_GAUSS_FROM = 30.0


class Dice(random.Random):
    """A seeded source with the draws the traffic needs."""

    def happens(self, chance: float) -> bool:
        """True with probability ``chance``."""
        return self.random() < chance

    def weighted(self, table: Sequence[tuple[T, float]]) -> T:
        """One of ``(value, weight)`` rows."""
        return self.choices([value for value, _ in table], [weight for _, weight in table])[0]

    def poisson(self, mean: float) -> int:
        """A Poisson number; above a mean of 30 the rounded normal one."""
        if mean > _GAUSS_FROM:
            return max(0, round(self.gauss(mean, mean**0.5)))
        total, number = self.expovariate(1.0), 0
        while total < mean:
            total += self.expovariate(1.0)
            number += 1
        return number

    def uuid(self) -> str:
        """A version 4 UUID."""
        text = f"{self.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
