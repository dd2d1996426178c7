"""How often events are tagged wrongly, estimated from a stratified sample that people have answered.

Rules: a stratum is a rule, or the events without one; within it the error is the share of wrong answers, with the
interval of Wilson (1927) at 95 %. Over all strata each counts by the events it stands for (samples divided by their
rate); the interval is Wilson's with the effective number of answers of Kish (1965), n = 1 / sum(w^2 / n_h). A stratum
without an answer is in none of it and is told as not covered. Samples are drawn by a keyed digest of the event, so
neither producers nor owners of rules can know which.
"""

from collections.abc import Iterable
from math import sqrt

import msgspec

Z_95 = 1.959963984540054
UNTAGGED = ""
_MILLION = 1_000_000


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A share with its 95 % interval, each 0 to 1."""

    share: float
    low: float
    high: float


class Answered(msgspec.Struct, frozen=True, gc=False):
    """One sample, with its answer if it has one.

    Attributes:
        rule: that it was tagged with, "" for none.
        per_million: rate at which it was drawn.
        should_be: rule it should have been tagged with, "" for none; None while nobody answered.
    """

    rule: str
    per_million: int
    should_be: str | None = None


class Stratum(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, or the events without one.

    Attributes:
        rule: "" for events without one.
        samples, answers, wrong: how many.
        events: that the samples stand for.
        error: None without answers.
        missed: events of other strata that should have been tagged with it, estimated.
    """

    rule: str
    samples: int
    answers: int
    wrong: int
    events: float
    error: Interval | None
    missed: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole.

    Attributes:
        strata: the largest first.
        error: over all strata with answers, None without any.
        covered: share of the events whose stratum has an answer.
        effective: answers that the weighted sample is worth.
        target: error that is still accepted.
    """

    strata: tuple[Stratum, ...]
    error: Interval | None
    covered: float
    effective: float
    target: float

    @property
    def verdict(self) -> str:
        """Whether the target is "met", "missed", or "open": too few answers to tell."""
        if self.error is None:
            return "open"
        if self.error.low > self.target:
            return "missed"
        return "met" if self.error.high <= self.target else "open"


def wilson(share: float, n: float) -> Interval:
    """The interval for a share that was seen in ``n`` answers (more than 0)."""
    square = Z_95 * Z_95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z_95 / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def report(found: Iterable[Answered], target: float) -> Report:
    """The estimate from all samples; those drawn at rate 0 are left out."""
    groups: dict[str, list[Answered]] = {}
    for each in found:
        if each.per_million:
            groups.setdefault(each.rule, []).append(each)
    missed: dict[str, float] = {}
    for group in groups.values():
        _misses(group, missed)
    for rule in missed:
        groups.setdefault(rule, [])
    strata = [_stratum(rule, group, missed.get(rule, 0.0)) for rule, group in groups.items()]
    strata.sort(key=lambda each: (-each.events, each.rule))
    answered = [each for each in strata if each.answers]
    events, total = sum(each.events for each in answered), sum(each.events for each in strata)
    if not events:
        return Report(strata=tuple(strata), error=None, covered=0.0, effective=0.0, target=target)
    share = sum(each.events / events * each.wrong / each.answers for each in answered)
    effective = 1 / sum((each.events / events) ** 2 / each.answers for each in answered)
    error = wilson(min(1.0, share), effective)
    return Report(strata=tuple(strata), error=error, covered=events / total, effective=effective, target=target)


def _stratum(rule: str, group: list[Answered], missed: float) -> Stratum:
    answers = [each for each in group if each.should_be is not None]
    wrong = sum(each.should_be != rule for each in answers)
    return Stratum(
        rule=rule, samples=len(group), answers=len(answers), wrong=wrong, events=_events(group),
        error=wilson(wrong / len(answers), len(answers)) if answers else None, missed=missed,
    )  # fmt: skip


def _events(group: list[Answered]) -> float:
    return sum(_MILLION / each.per_million for each in group)


def _misses(group: list[Answered], missed: dict[str, float]) -> None:
    answers = [each for each in group if each.should_be is not None]
    for each in answers:
        if each.should_be and each.should_be != each.rule:
            missed[each.should_be] = missed.get(each.should_be, 0.0) + _events(group) / len(answers)
