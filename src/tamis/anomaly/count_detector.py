"""One stream of counts per minute: is it silent, dropping or spiking against what is healthy for it?

Rules: only a count outside the healthy band is a surprise; the detector does not learn from what it suspects, for a
bounded time; a recovery is judged on the shortest window that says something, not on the long one that still holds the
outage. Nothing here reads a clock: time is the epoch minute in the observation.
Not handled here: ratios to an upstream step, holidays, incidents and their wording.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from river import stats
from river.base import AnomalyDetector

from tamis.anomaly.band import LEAST_SPREAD, Band, healthy_band
from tamis.anomaly.deviance import signed_deviance
from tamis.anomaly.levels import LEVEL_HALF_LIFE, RatioLevel, RatioState, fading
from tamis.anomaly.season import Range, SeasonProfile, SeasonState, Tier, slot_of
from tamis.anomaly.spread import Roughness, RoughState, Spread, SpreadState
from tamis.anomaly.suspicion import Mode, Suspicion, SuspicionState, Turn
from tamis.anomaly.trail import Mark, Trail, TrailState
from tamis.anomaly.versions import check_version

WINDOWS = ((1, True), (3, True), (10, False), (30, False))  # minutes, judged by the quick level
HALF_LIVES = (20.0, 60.0, 1_440.0)
ENOUGH_EXPECTED = 20.0  # events: what a window must expect before its calm means recovery
SPIKE_WEIGHT = 1.6  # the upper edge leaves more room, so what passes it means more
MOST_LEARNED = 2.5  # times the usual: what a count adds to the season at most
MOST_ANCHOR = 5.0  # times the usual: a new normal
SILENT = 0.1  # of the healthy count
WARM_MINUTES = 60


class Judgement(NamedTuple):
    """What one minute looks like: ``surprise`` is signed, 0 inside the band; counts are per minute, of ``window``.

    ``high`` is infinite and ``tier`` is NONE while nothing usual is known.
    """

    score: float = 0.0
    surprise: float = 0.0
    window: int = 0
    observed: float = 0.0
    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    tier: int = Tier.NONE


NOTHING = Judgement()


class CountState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``CountDetector``, version 2."""

    version: int
    season: SeasonState
    spreads: tuple[SpreadState, ...]
    rough: RoughState
    ratios: tuple[RatioState, ...]
    level: float
    trail: TrailState
    suspicion: SuspicionState
    learned: int
    last: int


STATE_VERSION = 2
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CountState)


class CountDetector(AnomalyDetector):
    """Seasonal count detector for ``{"t": epoch minute, "y": count}``.

    A window of W minutes with count O is compared with its healthy band [L, H] (``band.py``). The surprise is the
    signed root of the negative binomial deviance of O against the nearer edge, 0 inside. The score is
    z / (z + threshold) of the largest |z| over W in 1, 3, 10, 30, so 0.5 is the threshold. Observations without both
    features score 0 and teach nothing, nor do minutes that do not come after the last one learned.

    Args:
        threshold: surprise at which the score is 0.5, in standard deviations.

    Examples:
        >>> detector = CountDetector()
        >>> for minute in range(3 * 1440):
        ...     detector.learn_one({"t": minute, "y": 20 + minute % 3})
        >>> detector.is_warm
        True
        >>> detector.score_one({"t": 3 * 1440, "y": 21})
        0.0
        >>> detector.score_one({"t": 3 * 1440, "y": 200}) > 0.5
        True
    """

    def __init__(self, threshold: float = 4.4) -> None:
        self.threshold = threshold
        self._season = SeasonProfile()
        self._spreads = tuple(Spread() for _ in WINDOWS)
        self._rough = Roughness()
        self._ratios = tuple(RatioLevel(half_life) for half_life in HALF_LIVES)
        self._level = stats.EWMean(fading(LEVEL_HALF_LIFE))
        self._trail = Trail()
        self._suspicion = Suspicion()
        self._learned = 0
        self._last = -1

    @property
    def is_warm(self) -> bool:
        """Whether enough was learned for a verdict (an hour; knowing the season takes days)."""
        return self._learned >= WARM_MINUTES

    @property
    def alarmed(self) -> bool:
        """Whether an alarm has not been followed by a recovery or a new normal yet."""
        return self._suspicion.mode == Mode.ALARMED

    def score_one(self, x: Mapping[str, Any]) -> float:
        """Score in 0..1 of one minute, 0.5 = threshold; nothing is changed."""
        return self.judge(x).score

    def judge(self, x: Mapping[str, Any]) -> Judgement:
        """The score with the reasons for it; nothing is changed."""
        minute, count = x.get("t"), x.get("y")
        if minute is None or count is None or not self.is_warm or int(minute) <= self._last:
            return NOTHING
        bands = self._bands(float(count), self._season.range(int(minute)), contiguous=int(minute) == self._last + 1)
        return self._judge(bands, slot_of(int(minute)))

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Learn one minute, unless it is suspect."""
        minute, count = x.get("t"), x.get("y")
        if minute is not None and count is not None and int(minute) > self._last:
            self.observe(int(minute), float(count))

    def observe(self, minute: int, count: float) -> Judgement:
        """Score, then learn: the two calls in one, for the running system.

        Args:
            minute: epoch minute, later than the last one.
            count: events in it.
        """
        if minute != self._last + 1:
            self._trail.clear()
            self._rough.pause()
        slot, usual = slot_of(minute), self._season.range(minute)
        bands = self._bands(count, usual, contiguous=True) if self.is_warm else []
        verdict = self._judge(bands, slot)
        turn = self._suspicion.move(abs(verdict.surprise) / self.threshold, usual.tier, silent=_silent(verdict))
        normal = self._suspicion.mode == Mode.NORMAL
        for spread, band in zip(self._spreads, bands, strict=False):
            if band.tier != Tier.NONE:
                spread.learn(slot, band.observed, band.low, band.high, overall=normal)
        if turn == Turn.ACCEPTED:
            self._accept(verdict)
        elif turn == Turn.RECOVERED:
            self._trail.clear()
        self._season.follow_clock(minute, count, self._ratios[2].get())
        self._learn(minute, count, usual, normal=normal)
        self._last = minute
        return verdict

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        return _encoder.encode(
            CountState(
                STATE_VERSION,
                self._season.encode(),
                tuple(spread.encode() for spread in self._spreads),
                self._rough.encode(),
                tuple(ratio.encode() for ratio in self._ratios),
                self._level.get(),
                self._trail.encode(),
                self._suspicion.encode(),
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
        self._season.restore(state.season)
        for spread, spread_state in zip(self._spreads, state.spreads, strict=True):
            spread.restore(spread_state)
        self._rough.restore(state.rough)
        for ratio, ratio_state in zip(self._ratios, state.ratios, strict=True):
            ratio.restore(ratio_state)
        self._trail.restore(state.trail)
        self._suspicion.restore(state.suspicion)
        self._learned, self._last = state.learned, state.last
        self._set_level(state.level)

    def _bands(self, count: float, usual: Range, *, contiguous: bool) -> list[Band]:
        now = self._now(usual.tier)
        known = len(self._trail) + 1 if contiguous else 1
        return [
            healthy_band(w, self._trail.before(w - 1) if w > 1 else now, now, count, usual, quick=quick)
            for w, quick in WINDOWS
            if w <= known
        ]

    def _judge(self, bands: list[Band], slot: int) -> Judgement:
        best = NOTHING
        for i, band in enumerate(bands):
            window = WINDOWS[i][0]
            surprise = self._surprise(i, band, slot) if band.observed < band.low or band.observed > band.high else 0.0
            if self.alarmed or not i or abs(surprise) > abs(best.surprise):
                z, per = abs(surprise), 1.0 / window
                score = z / (z + self.threshold)
                counts = (band.observed * per, band.mid * per, band.low * per, band.high * per)
                best = Judgement(score, surprise, window, *counts, band.tier)
                if self.alarmed and band.mid >= ENOUGH_EXPECTED:
                    break
        return best

    def _surprise(self, i: int, band: Band, slot: int) -> float:
        spread = max(self._spreads[i].at(slot), LEAST_SPREAD[band.tier]) + self._rough.get() / WINDOWS[i][0]
        if band.observed < band.low:
            return signed_deviance(band.observed, band.low, spread)
        return SPIKE_WEIGHT * signed_deviance(band.observed, band.high, spread)

    def _now(self, tier: int) -> Mark:
        quick, slow, day = self._ratios
        return Mark(*self._trail.total, quick.get(), slow.get(), day.get(), self._level.get(), tier)

    def _accept(self, verdict: Judgement) -> None:
        """Take the present level as the new normal."""
        start = self._trail.before(len(self._trail)) if len(self._trail) else self._now(Tier.NONE)
        observed, _, usual, _ = self._trail.total
        if usual > start.mid:
            for ratio in self._ratios:
                ratio.anchor(
                    max(1.0 / MOST_ANCHOR, min(MOST_ANCHOR, (observed - start.observed) / (usual - start.mid)))
                )
        self._set_level(verdict.observed)
        self._trail.clear()

    def _set_level(self, level: float) -> None:
        self._level = stats.EWMean(self._level.fading_factor)
        if self._learned:
            self._level.update(level)

    def _learn(self, minute: int, count: float, usual: Range, *, normal: bool) -> None:
        before = self._now(usual.tier)
        self._trail.push(before, count, usual)
        self._season.update_minute(minute, count)
        if normal:
            known = usual.tier == Tier.WARM  # one strange day must not become half of what is usual
            self._season.update(minute, min(count, MOST_LEARNED * usual.high + 5.0) if known else count)
            self._rough.learn(count, before.quick * usual.mid if usual.tier == Tier.WARM else before.level)
        else:
            self._season.update_suspect(minute, count)
            self._rough.pause()
            if usual.tier != Tier.NONE:
                return
        if usual.tier == Tier.WARM:
            for ratio in self._ratios:
                ratio.learn(count, usual.mid)
        self._level.update(count)
        self._learned += 1


def _silent(verdict: Judgement) -> bool:
    return verdict.surprise < 0.0 and verdict.observed < SILENT * verdict.low
