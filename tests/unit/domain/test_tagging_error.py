"""The tagging error of a stratified sample: intervals, weights, what is not covered, and what it is worth."""

import random
from collections.abc import Iterator

import pytest

from tamis.domain.tagging_error import Answered, report, wilson

TARGET = 0.05


@pytest.mark.parametrize(
    ("share", "n", "low", "high"),
    [
        (0.0, 10, 0.0, 0.2775), (0.5, 10, 0.2366, 0.7634), (0.1, 100, 0.0552, 0.1744), (1.0, 1, 0.2065, 1.0),
        (0.02, 500, 0.0109, 0.0364), (0.3, 20, 0.1455, 0.5190),
    ],
)  # fmt: skip
def test_wilsons_interval(share: float, n: int, low: float, high: float) -> None:
    """Figures from the closed form, as statistics packages print them (R: binom.confint, method wilson)."""
    found = wilson(share, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def answers(rule: str, rate: int, right: int, wrong: int, waiting: int = 0, instead: str = "") -> Iterator[Answered]:
    yield from (Answered(rule, rate, rule) for _ in range(right))
    yield from (Answered(rule, rate, instead) for _ in range(wrong))
    yield from (Answered(rule, rate) for _ in range(waiting))


def test_without_answers_nothing_is_known() -> None:
    for found in (report([], TARGET), report(answers("a", 100, 0, 0, 9), TARGET)):
        assert (found.error, found.verdict, found.covered) == (None, "open", 0.0)


def test_each_stratum_counts_by_the_events_it_stands_for() -> None:
    """1,000,000 untagged events at 1 %, 10,000 tagged ones at 100 %: the first decide."""
    found = report([*answers("", 1_000, 990, 10, instead="a"), *answers("a", 1_000_000, 5_000, 5_000)], TARGET)
    assert found.error is not None
    assert found.error.share == pytest.approx((1_000_000 * 0.01 + 10_000 * 0.5) / 1_010_000)
    assert [(each.rule, round(each.events)) for each in found.strata] == [("", 1_000_000), ("a", 10_000)]
    assert found.effective == pytest.approx(
        1 / ((1_000_000 / 1_010_000) ** 2 / 1_000 + (10_000 / 1_010_000) ** 2 / 1e4)
    )


def test_a_stratum_without_answers_is_not_covered() -> None:
    found = report([*answers("a", 100, 50, 0), *answers("b", 100, 0, 0, 150)], TARGET)
    assert found.covered == pytest.approx(0.25)
    assert (found.strata[0].rule, found.strata[0].answers, found.strata[0].error) == ("b", 0, None)


@pytest.mark.parametrize(
    ("right", "wrong", "verdict"), [(200, 0, "met"), (20, 0, "open"), (180, 20, "missed"), (95, 5, "open")]
)
def test_the_verdict_follows_from_the_interval(right: int, wrong: int, verdict: str) -> None:
    assert report(answers("a", 100, right, wrong), TARGET).verdict == verdict


def test_what_a_rule_missed_is_estimated_from_where_it_was_found() -> None:
    found = report([*answers("", 100, 90, 10, instead="a"), *answers("a", 1_000, 10, 0)], TARGET)
    missed = {each.rule: each.missed for each in found.strata}
    assert missed == {"": 0.0, "a": pytest.approx(100_000.0)}
    assert {each.rule for each in report(answers("", 100, 9, 1, instead="never"), TARGET).strata} == {"", "never"}


def test_what_was_drawn_at_no_rate_counts_in_nothing() -> None:
    assert report(answers("a", 0, 5, 5), TARGET).strata == ()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """300 draws of a population of two strata with errors of 2 % and 20 %."""
    dice, truth, hits = random.Random(7), (100_000 * 0.02 + 10_000 * 0.2) / 110_000, 0
    for _ in range(300):
        wrong = [sum(dice.random() < share for _ in range(200)) for share in (0.02, 0.2)]
        found = report(
            [*answers("", 2_000, 200 - wrong[0], wrong[0]), *answers("a", 20_000, 200 - wrong[1], wrong[1])], 0.05
        )
        assert found.error is not None
        hits += found.error.low <= truth <= found.error.high
    assert hits >= 270
