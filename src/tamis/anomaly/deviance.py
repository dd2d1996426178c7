"""How surprising a count is under overdispersed expectation: the signed root of the negative binomial deviance.

Rules: 0 for a count that equals its expectation, negative below it and positive above; about standard normal for
healthy counts. Unlike a z-score it does not overstate a small expectation that stays silent, and it does not drown a
complete silence in overdispersion.
"""

from math import log, log1p, sqrt


def signed_deviance(observed: float, expected: float, dispersion: float) -> float:
    """Signed square root of the deviance of ``observed`` under a negative binomial distribution.

    Args:
        observed: events, >= 0.
        expected: mean of the distribution, > 0.
        dispersion: tau^2 > 0: the variance is ``expected + tau^2 expected^2``.

    Source: McCullagh and Nelder, Generalized Linear Models, 2nd edition, sections 2.3 and 11.2.
    """
    size = 1.0 / dispersion
    if observed <= 0.0:
        return -sqrt(2.0 * size * log1p(expected * dispersion))
    half = observed * log(observed / expected) - (observed + size) * log((observed + size) / (expected + size))
    root = sqrt(2.0 * half) if half > 0.0 else 0.0
    return root if observed > expected else -root
