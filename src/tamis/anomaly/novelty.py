"""Has this stream ever done anything like this? An ensemble of gap and record novelty over five views of one signal.

Rules: each view (logarithm, deviation from the last 200, mean of the last 20, and two seasonal scores) is compared with
all it has shown before (``seen_values.py``); an expert that cries wolf is turned down by a forgetting mean of its own
past; after an alarm only a larger one is heard for ``REFRACTORY`` observations; the first ``SILENT_FIRST`` observations
are never news. It remembers: what was seen once is no novelty the second time, so repeats are for ``residual.py``.
Parameters are the same for every stream.
Source of the design: the novelty of a value relative to its history, as in the Numenta Anomaly Benchmark's better
detectors (Lavin and Ahmad 2015); forgetting and self-normalisation are our own.
"""

from collections.abc import Mapping
from math import copysign, log1p
from typing import Any, NamedTuple

import msgspec
from river.base import AnomalyDetector

from tamis.anomaly.rolling import RollingMean, RollingState
from tamis.anomaly.seen_values import SeenState, SeenValues
from tamis.anomaly.slot_score import SlotScore, SlotScoreState
from tamis.anomaly.versions import check_version

BASE, WEIGHT = 0.1, 3.0  # an expert is divided by BASE + WEIGHT * its mean
FORGETTING, PRIOR = 5e-4, 50.0
POWER = 0.8
REFRACTORY = 50
SILENT_FIRST = 150
VIEWS = 5


class ExpertState(msgspec.Struct, frozen=True, array_like=True):
    """What one view has shown, and the forgetting sums of its gap, its record and its weight."""

    seen: SeenState
    gap: float
    record: float
    weight: float


class NoveltyState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``NoveltyEnsemble``, version 1."""

    version: int
    means: tuple[RollingState, ...]
    slots: tuple[SlotScoreState, ...]
    experts: tuple[ExpertState, ...]
    since: int
    heard: float


STATE_VERSION = 1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(NoveltyState)


class _Expert:
    """Novelty of one view, normalised by how novel it usually is."""

    __slots__ = ("_gap", "_record", "_weight", "seen")

    def __init__(self) -> None:
        self.seen = SeenValues()
        self._gap = self._record = 0.0
        self._weight = PRIOR

    def score(self, measured: tuple[float, float]) -> float:
        gap, record = measured
        found = 0.0
        if gap > 0.0:
            found = (gap / (BASE + WEIGHT * self._gap / self._weight)) ** POWER
        if record > 0.0:
            found += (record / (BASE + WEIGHT * self._record / self._weight)) ** POWER
        return found

    def learn(self, value: float, measured: tuple[float, float]) -> None:
        keep = 1.0 - FORGETTING
        self._gap = self._gap * keep + measured[0]
        self._record = self._record * keep + measured[1]
        self._weight = self._weight * keep + 1.0
        self.seen.learn(value)

    def encode(self) -> ExpertState:
        return ExpertState(self.seen.encode(), self._gap, self._record, self._weight)

    def restore(self, state: ExpertState) -> None:
        self.seen.restore(state.seen)
        self._gap, self._record, self._weight = state.gap, state.record, state.weight


class _Views(NamedTuple):
    """The five views of one value, and the two slot scores behind them."""

    values: tuple[float, float, float, float, float]
    week: float


class NoveltyEnsemble(AnomalyDetector):
    """Novelty of ``{"t": epoch seconds, "y": value}`` against everything the stream has shown.

    The score is z / (z + threshold), z the sum over views of both novelties; 0.5 is the threshold. Observations
    without both features score 0 and teach nothing.

    Args:
        threshold: sum at which the score is 0.5.

    Examples:
        >>> detector = NoveltyEnsemble()
        >>> for i in range(1000):
        ...     detector.learn_one({"t": 300 * i, "y": 20.0 + i % 7})
        >>> detector.is_warm
        True
        >>> detector.score_one({"t": 300_000, "y": 22.0}) < 0.4
        True
        >>> detector.score_one({"t": 300_000, "y": 200.0}) > 0.5
        True
    """

    def __init__(self, threshold: float = 3.8) -> None:
        self.threshold = threshold
        self._deviation, self._recent, self._pattern = RollingMean(200), RollingMean(20), RollingMean(24)
        self._day, self._week = SlotScore(48, weekends=False), SlotScore(24, weekends=True)
        self._experts = tuple(_Expert() for _ in range(VIEWS))
        self._since = REFRACTORY + 1
        self._heard = 0.0

    @property
    def is_warm(self) -> bool:
        """Whether enough was learned for a verdict."""
        return self._experts[0].seen.n >= SILENT_FIRST

    def score_one(self, x: Mapping[str, Any]) -> float:
        """Score in 0..1, 0.5 = threshold; nothing is changed."""
        time, value = x.get("t"), x.get("y")
        if time is None or value is None or not self.is_warm:
            return 0.0
        views = self._views(int(time), float(value))
        return self._gate(sum(e.score(e.seen.measure(v)) for e, v in zip(self._experts, views.values, strict=True)))

    def learn_one(self, x: Mapping[str, Any]) -> None:
        """Learn one observation."""
        time, value = x.get("t"), x.get("y")
        if time is not None and value is not None:
            self.observe(int(time), float(value))

    def observe(self, time: int, value: float) -> float:
        """Score, then learn: the two calls in one.

        Args:
            time: epoch seconds.
            value: finite.
        """
        views, warm = self._views(time, value), self.is_warm
        total = 0.0
        for expert, view in zip(self._experts, views.values, strict=True):
            measured = expert.seen.measure(view)
            total += expert.score(measured)
            expert.learn(view, measured)
        score = self._gate(total)
        self._since += 1
        if score > 0.0:
            self._since, self._heard = 1, total
        self._deviation.learn(value)
        self._recent.learn(value)
        self._pattern.learn(views.week)
        self._day.learn(time, value)
        self._week.learn(time, value)
        return score if warm else 0.0

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        return _encoder.encode(
            NoveltyState(
                STATE_VERSION,
                tuple(mean.encode() for mean in (self._deviation, self._recent, self._pattern)),
                (self._day.encode(), self._week.encode()),
                tuple(expert.encode() for expert in self._experts),
                self._since,
                self._heard,
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
        for mean, mean_state in zip((self._deviation, self._recent, self._pattern), state.means, strict=True):
            mean.restore(mean_state)
        for slots, slots_state in zip((self._day, self._week), state.slots, strict=True):
            slots.restore(slots_state)
        for expert, expert_state in zip(self._experts, state.experts, strict=True):
            expert.restore(expert_state)
        self._since, self._heard = state.since, state.heard

    def _views(self, time: int, value: float) -> _Views:
        week = self._week.score(time, value)
        logarithm = copysign(log1p(abs(value)), value)
        mean = self._deviation.after(value)
        day = self._day.score(time, value)
        return _Views((logarithm, value - mean, self._recent.after(value), day, self._pattern.after(week)), week)

    def _gate(self, total: float) -> float:
        if total > 0.0 and (self._since > REFRACTORY or total > self._heard):
            return total / (total + self.threshold)
        return 0.0
