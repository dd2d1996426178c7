"""The detector of any stream: finds out what the stream is, runs the channels that fit, and takes the worst of them.

Rules: a stream of whole numbers >= 0 with an interval of a minute is a stream of counts: its counts, its upstream
counts and the ratio of both are judged; every other stream is judged by novelty. Each channel has its own threshold, at
which its score is 0.5; the score of the stream is the largest. A missing value scores 0 and teaches nothing.
No parameter depends on a stream.
"""

from typing import NamedTuple

from tamis.anomaly.alert_policy import AlertPolicy
from tamis.anomaly.count_detector import CountDetector
from tamis.anomaly.novelty import NoveltyEnsemble
from tamis.anomaly.ratio_detector import RatioDetector

MINUTE_S = 60
COUNT_THRESHOLD, UPSTREAM_THRESHOLD, RATIO_THRESHOLD = 4.8, 5.4, 4.8


class Verdict(NamedTuple):
    """Score 0..1 of one observation, whether a new incident opens with it, and the channel that decided."""

    score: float
    alert: bool
    channel: str


class StreamDetector:
    """One stream, observation by observation.

    Args:
        interval: seconds between observations.
    """

    def __init__(self, interval: int) -> None:
        self._counts = interval == MINUTE_S
        self._count, self._upstream = CountDetector(COUNT_THRESHOLD), CountDetector(UPSTREAM_THRESHOLD)
        self._ratio = RatioDetector(RATIO_THRESHOLD)
        self._novelty = NoveltyEnsemble()
        self.policy = AlertPolicy()

    def observe(self, time: int, value: float | None, upstream: float | None = None) -> Verdict:
        """Score, then learn, one observation.

        Args:
            time: epoch seconds.
            value: None when it is missing.
            upstream: events of the step before; None where there is none.
        """
        if value is None and upstream is None:
            return Verdict(0.0, False, "")
        if self._counts and value is not None and (value < 0.0 or value != int(value)):
            self._counts = False
        score, channel = self._judge_counts(time, value, upstream) if self._counts else self._judge_any(time, value)
        return Verdict(score, self.policy.step(time, score), channel)

    def forget_incidents(self) -> None:
        """Begin with a full alert budget and no open incident, as after a history."""
        self.policy = AlertPolicy()

    def _judge_any(self, time: int, value: float | None) -> tuple[float, str]:
        return (0.0, "") if value is None else (self._novelty.observe(time, value), "novelty")

    def _judge_counts(self, time: int, value: float | None, upstream: float | None) -> tuple[float, str]:
        minute, score, channel = time // MINUTE_S, 0.0, ""
        if value is not None:
            score, channel = self._count.observe(minute, value).score, "count"
        if upstream is not None:
            found = self._upstream.observe(minute, upstream).score
            if found > score:
                score, channel = found, "upstream"
            if value is not None:
                found = self._ratio.observe(minute, value, upstream).score
                if found > score:
                    score, channel = found, "ratio"
        return score, channel
