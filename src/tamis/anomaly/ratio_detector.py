"""Conversions against their upstream step: are too few or too many of those who could convert converting?

Rules: a window is compared with what its upstream events give at the usual rate of the hour, for every plausible delay;
only what none of them explains is a surprise; the detector does not learn what it suspects, for a bounded time; after
a new normal the one before it stays an innocent explanation for ``RETURN_MINUTES``.
Not handled here: the counts themselves (``count_detector``), incidents.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import msgspec
from river.base import AnomalyDetector

from tamis.anomaly.conversion_rate import ConversionRate, RateState
from tamis.anomaly.count_detector import NOTHING, Judgement
from tamis.anomaly.deviance import signed_deviance
from tamis.anomaly.season import Tier, slot_of
from tamis.anomaly.spread import Spread, SpreadState
from tamis.anomaly.sums_trail import SumsTrail
from tamis.anomaly.suspicion import SHIFT_MINUTES, Mode, Suspicion, SuspicionState, Turn
from tamis.anomaly.versions import check_version

WINDOWS = (5, 20, 60, 240)  # minutes
LONGEST = WINDOWS[-1]
LOW, HIGH = 0.85, 1.25
LOW_EARLY, HIGH_EARLY = 0.6, 2.0  # before the daily shape is known
LEAST_EXTRA = 3.0
BURST_EXTRA = 1.5  # times what bursts of the upstream step would give at the usual rate
LEAST_SPREAD = (8e-3, 3e-3, 2e-3, 1.5e-3)
WARM_MINUTES, SHAPED_MINUTES = 1_440, 4 * 1_440
LEAST_CONVERSIONS = 30.0
RETURN_MINUTES = 4 * 1_440
RETURN_WINDOW, RETURN_EVENTS = 60, 30.0  # minutes, and usual conversions in them, that show a return
RETURN_LASTS = 30  # minutes in a row
START = (0.0,) * 7


class RatioState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``RatioDetector``, version 2; the trail is packed."""

    version: int
    rate: RateState
    spreads: tuple[SpreadState, ...]
    total: tuple[float, ...]
    trail: bytes
    suspicion: SuspicionState
    before: float
    anchored: float
    accepted: int
    back: int
    learned: int
    last: int


STATE_VERSION = 2
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RatioState)


class RatioDetector(AnomalyDetector):
    """Ratio detector for ``{"t": epoch minute, "y": conversions, "u": upstream events}``.

    The surprise is the signed root of the negative binomial deviance of the conversions in a window against the
    nearer edge of what is healthy, 0 inside; the score is z / (z + threshold) of the largest over 5, 20, 60 and 240
    minutes, so 0.5 is the threshold. Observations without the three features score 0 and teach nothing.

    Args:
        threshold: surprise at which the score is 0.5, in standard deviations.

    Examples:
        >>> detector = RatioDetector()
        >>> for minute in range(3 * 1440):
        ...     detector.learn_one({"t": minute, "y": 10 + minute % 3, "u": 100})
        >>> detector.score_one({"t": 3 * 1440, "y": 11, "u": 100})
        0.0
        >>> detector.score_one({"t": 3 * 1440, "y": 400, "u": 500}) > 0.5
        True
    """

    def __init__(self, threshold: float = 4.4) -> None:
        self.threshold = threshold
        self._rate = ConversionRate()
        self._spreads = tuple(Spread() for _ in WINDOWS)
        self._total: tuple[float, ...] = START
        self._trail = SumsTrail(LONGEST, len(START))
        self._suspicion = Suspicion()
        self._before, self._anchored, self._accepted = 1.0, 0.0, -RETURN_MINUTES
        self._back = self._learned = 0
        self._last = -1

    @property
    def is_warm(self) -> bool:
        """Whether enough was learned for a verdict: a day, and some conversions."""
        return self._learned >= WARM_MINUTES and self._rate.converted >= LEAST_CONVERSIONS

    def score_one(self, x: Mapping[str, Any]) -> float:
        """Score in 0..1 of one minute, 0.5 = threshold; nothing is changed."""
        minute, count, upstream = x.get("t"), x.get("y"), x.get("u")
        if minute is None or count is None or upstream is None or int(minute) <= self._last or not self.is_warm:
            return 0.0
        twin = RatioDetector(self.threshold)
        twin.restore(self.encode())
        return twin.observe(int(minute), float(count), float(upstream)).score

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Learn one minute, unless it is suspect."""
        minute, count, upstream = x.get("t"), x.get("y"), x.get("u")
        if minute is not None and count is not None and upstream is not None and int(minute) > self._last:
            self.observe(int(minute), float(count), float(upstream))

    def observe(self, minute: int, count: float, upstream: float) -> Judgement:
        """Score, then learn: the two calls in one.

        Args:
            minute: epoch minute, later than the last one.
            count: conversions in it.
            upstream: events of the step before in it.
        """
        if minute != self._last + 1:
            self._trail.clear()
        self._last = minute
        flows = self._rate.smooth(upstream)
        usual = self._rate.level() * self._rate.shape(minute)
        self._trail.push(self._total)
        c, p, q, r, s, t, u = self._total
        a, b, d, e, f, g = flows
        self._total = (
            c + count, p + usual * a, q + usual * b, r + usual * d, s + usual * e, t + usual * f, u + usual * g
        )  # fmt: skip
        verdict = self._judge(minute) if self.is_warm else NOTHING
        silent = verdict.surprise < 0.0 and verdict.observed < 0.1 * verdict.low
        turn = self._suspicion.move(abs(verdict.surprise) / self.threshold, Tier.SEEN, silent=silent)
        if turn == Turn.ACCEPTED:
            self._accept()
        elif turn == Turn.RECOVERED:
            self._trail.clear()
        elif self._suspicion.mode == Mode.NORMAL and minute - self._accepted < RETURN_MINUTES:
            self._return()
        if self._suspicion.mode == Mode.NORMAL:
            self._rate.learn(minute, count, flows[4])
            self._learned += 1
        return verdict

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        return _encoder.encode(
            RatioState(
                STATE_VERSION,
                self._rate.encode(),
                tuple(spread.encode() for spread in self._spreads),
                self._total,
                self._trail.encode(),
                self._suspicion.encode(),
                self._before,
                self._anchored,
                self._accepted,
                self._back,
                self._learned,
                self._last,
            )
        )

    def restore(self, encoded: bytes) -> None:
        """Take over a state made by ``encode``.

        Raises:
            msgspec.DecodeError: not such a state.
            ValueError: a state of another version.
        """
        state = _decoder.decode(encoded)
        check_version(state.version, STATE_VERSION, "detector state")
        self._rate.restore(state.rate)
        for spread, spread_state in zip(self._spreads, state.spreads, strict=True):
            spread.restore(spread_state)
        self._total = state.total
        self._trail.restore(state.trail)
        self._suspicion.restore(state.suspicion)
        self._before, self._anchored, self._accepted = state.before, state.anchored, state.accepted
        self._back, self._learned, self._last = state.back, state.learned, state.last

    def _judge(self, minute: int) -> Judgement:
        best, slot, known = NOTHING, slot_of(minute), len(self._trail)
        shaped = self._learned >= SHAPED_MINUTES
        share_low, share_high = (LOW, HIGH) if shaped else (LOW_EARLY, HIGH_EARLY)
        if minute - self._accepted < RETURN_MINUTES:
            share_low, share_high = share_low * min(1.0, self._before), share_high * max(1.0, self._before)
        normal = self._suspicion.mode == Mode.NORMAL
        now = self._total
        for i, window in enumerate(WINDOWS):
            if window > known:
                break
            start = self._trail.before(window)
            observed = now[0] - start[0]
            low = share_low * min(now[1] - start[1], now[2] - start[2], now[3] - start[3])
            high = share_high * max(now[4] - start[4], now[5] - start[5], now[6] - start[6]) + LEAST_EXTRA
            high += BURST_EXTRA * (now[4] - start[4] - now[1] + start[1])
            spread = self._spreads[i]
            if observed < low or observed > high:
                edge = low if observed < low else high
                z = signed_deviance(observed, max(edge, 1e-9), max(spread.at(slot), LEAST_SPREAD[i]))
                if abs(z) > abs(best.surprise):
                    per, score = 1.0 / window, abs(z) / (abs(z) + self.threshold)
                    mid = (now[5] - start[5]) * per
                    best = Judgement(score, z, window, observed * per, mid, low * per, high * per, Tier.WARM)
            spread.learn(slot, observed, low, high, overall=normal)
        return best

    def _return(self) -> None:
        """Go back to the rate before the new normal once conversions come as before it."""
        if len(self._trail) < RETURN_WINDOW:
            return
        start, before, level = self._trail.before(RETURN_WINDOW), self._before, self._rate.level()
        observed, expected = self._total[0] - start[0], [self._total[i] - start[i] for i in range(1, len(START))]
        usual = max(expected) if before > 1.0 else min(expected)
        if min(usual, usual * before) < RETURN_EVENTS or level <= 0.0:
            return
        now, middle = observed / usual * level, self._anchored * sqrt(before)
        self._back = self._back + 1 if (now >= middle) == (before > 1.0) else 0
        if self._back >= RETURN_LASTS:
            self._rate.anchor(self._anchored * before / level)
            self._before, self._accepted, self._back = 1.0, -RETURN_MINUTES, 0
            self._trail.clear()

    def _accept(self) -> None:
        """Take the rate of the time under suspicion as the new normal, and remember the one before."""
        known = min(len(self._trail), SHIFT_MINUTES)
        start = self._trail.before(known) if known else self._total
        usual = self._total[5] - start[5]
        if usual > 0.0:
            factor = max(0.02, (self._total[0] - start[0]) / usual)
            self._rate.anchor(factor)
            self._before, self._anchored, self._accepted = 1.0 / factor, self._rate.level(), self._last
        self._trail.clear()
