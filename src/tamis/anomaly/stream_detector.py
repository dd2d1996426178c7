"""The detector of any stream: finds out what the stream is, runs the channels that fit, and takes the worst of them.

Rules: a stream of whole numbers >= 0 with an interval of a minute is a stream of counts: its counts, its upstream
counts and the ratio of both are judged; every other stream is judged by novelty, with an interval of a minute also by
its protected residual (rates and levels that a machine reports, where the same fault comes again). Each channel has its
own threshold, at which its score is 0.5; the score of the stream is the largest. A missing value scores 0 and teaches
nothing. A channel exists from the first observation on that needs it. No parameter depends on a stream.
"""

from typing import NamedTuple, TypeVar

import msgspec

from tamis.anomaly.alert_policy import AlertPolicy, Change, PolicyState
from tamis.anomaly.count_detector import NOTHING, CountDetector, Judgement
from tamis.anomaly.novelty import NoveltyEnsemble
from tamis.anomaly.ratio_detector import RatioDetector
from tamis.anomaly.residual import ProtectedResidual
from tamis.anomaly.versions import check_version

MINUTE_S = 60
COUNT_THRESHOLD, UPSTREAM_THRESHOLD, RATIO_THRESHOLD = 4.8, 5.4, 4.8


class Verdict(NamedTuple):
    """What one observation looks like.

    Attributes:
        score: 0..1, 0.5 is the threshold.
        change: of the stream's incident.
        channel: that decided, empty for none.
        judgement: what it saw and expected; all 0 of a channel without a band.
    """

    score: float = 0.0
    change: Change = Change.NONE
    channel: str = ""
    judgement: Judgement = NOTHING

    @property
    def alert(self) -> bool:
        """Whether a new incident is told."""
        return self.change == Change.OPENED


class StreamState(msgspec.Struct, frozen=True, array_like=True):
    """The whole state of a ``StreamDetector``, version 1; a channel that does not exist is None."""

    version: int
    interval: int
    counts: bool
    count: bytes | None
    upstream: bytes | None
    ratio: bytes | None
    novelty: bytes | None
    residual: bytes | None
    policy: PolicyState


STATE_VERSION = 1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StreamState)
Channel = TypeVar("Channel", CountDetector, RatioDetector, NoveltyEnsemble, ProtectedResidual)


class StreamDetector:
    """One stream, observation by observation.

    Args:
        interval: seconds between observations.
        judge_upstream: whether the upstream counts are this stream's own concern; a board watches them as a stream.
    """

    __slots__ = ("_count", "_counts", "_interval", "_judge_upstream", "_novelty", "_ratio", "_residual", "_upstream",
                 "policy")  # fmt: skip

    def __init__(self, interval: int, *, judge_upstream: bool = True) -> None:
        self._interval = interval
        self._judge_upstream = judge_upstream
        self._counts = interval == MINUTE_S
        self._count: CountDetector | None = None
        self._upstream: CountDetector | None = None
        self._ratio: RatioDetector | None = None
        self._novelty: NoveltyEnsemble | None = None
        self._residual: ProtectedResidual | None = None
        self.policy = AlertPolicy()

    @property
    def is_warm(self) -> bool:
        """Whether enough was learned for a verdict on the values."""
        model = self._count if self._counts else self._novelty
        return model is not None and model.is_warm

    @property
    def has_upstream(self) -> bool:
        """Whether the ratio to an upstream step is judged."""
        return self._ratio is not None

    def observe(self, time: int, value: float | None, upstream: float | None = None) -> Verdict:
        """Score, then learn, one observation.

        Args:
            time: epoch seconds.
            value: None when it is missing.
            upstream: events of the step before; None where there is none.
        """
        if value is None and upstream is None:
            return Verdict()
        if self._counts and value is not None and (value < 0.0 or value != int(value)):
            self._counts = False
            self._count = self._upstream = self._ratio = None
        if self._counts:
            judgement, channel = self._judge_counts(time, value, upstream)
        else:
            judgement, channel = self._judge_any(time, value)
        return Verdict(judgement.score, self.policy.step(time, judgement.score), channel, judgement)

    def forget_incidents(self) -> None:
        """Begin with a full alert budget and no open incident, as after a history."""
        self.policy = AlertPolicy()

    def forget_upstream(self) -> None:
        """The step before is another one from now on."""
        self._upstream = self._ratio = None

    def encode(self) -> bytes:
        """The whole state, explicit and portable (msgpack)."""
        channels = (self._count, self._upstream, self._ratio, self._novelty, self._residual)
        count, upstream, ratio, novelty, residual = (None if each is None else each.encode() for each in channels)
        return _encoder.encode(
            StreamState(
                STATE_VERSION, self._interval, self._counts, count, upstream, ratio, novelty, residual,
                self.policy.state,
            )
        )  # fmt: skip

    def restore(self, encoded: bytes) -> None:
        """Take over a state made by ``encode``.

        Raises:
            msgspec.DecodeError: not such a state.
            ValueError: a state of another version or interval.
        """
        state = _decoder.decode(encoded)
        check_version(state.version, STATE_VERSION, "stream state")
        if state.interval != self._interval:
            raise ValueError(f"stream state of an interval of {state.interval} s, this one is {self._interval} s")
        self._counts = state.counts
        self._count = _restored(CountDetector(COUNT_THRESHOLD), state.count)
        self._upstream = _restored(CountDetector(UPSTREAM_THRESHOLD), state.upstream)
        self._ratio = _restored(RatioDetector(RATIO_THRESHOLD), state.ratio)
        self._novelty = _restored(NoveltyEnsemble(), state.novelty)
        self._residual = _restored(ProtectedResidual(), state.residual)
        self.policy = AlertPolicy(state.policy)

    def _judge_any(self, time: int, value: float | None) -> tuple[Judgement, str]:
        if value is None:
            return NOTHING, ""
        if self._novelty is None:
            self._novelty = NoveltyEnsemble()
        score, channel = self._novelty.observe(time, value), "novelty"
        if self._interval == MINUTE_S:
            if self._residual is None:
                self._residual = ProtectedResidual()
            found = self._residual.observe(value)
            if found > score:
                score, channel = found, "residual"
        return Judgement(score, observed=value), channel

    def _judge_counts(self, time: int, value: float | None, upstream: float | None) -> tuple[Judgement, str]:
        minute, best, channel = time // MINUTE_S, NOTHING, ""
        if value is not None:
            if self._count is None:
                self._count = CountDetector(COUNT_THRESHOLD)
            best, channel = self._count.observe(minute, value), "count"
        if upstream is None:
            return best, channel
        if self._judge_upstream:
            if self._upstream is None:
                self._upstream = CountDetector(UPSTREAM_THRESHOLD)
            found = self._upstream.observe(minute, upstream)
            if found.score > best.score:
                best, channel = found, "upstream"
        if value is not None:
            if self._ratio is None:
                self._ratio = RatioDetector(RATIO_THRESHOLD)
            found = self._ratio.observe(minute, value, upstream)
            if found.score > best.score:
                best, channel = found, "ratio"
        return best, channel


def _restored(channel: Channel, encoded: bytes | None) -> Channel | None:
    if encoded is None:
        return None
    channel.restore(encoded)
    return channel
