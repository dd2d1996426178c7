"""River's own estimator checks on our detectors, with a stream of counts as the data set."""

from __future__ import annotations

import doctest
import random
from typing import TYPE_CHECKING, Any

import pytest
from river import checks

from tamis.anomaly import absence, count_detector, novelty, ratio_detector, residual
from tamis.anomaly.absence import AbsenceDetector
from tamis.anomaly.count_detector import CountDetector
from tamis.anomaly.novelty import NoveltyEnsemble
from tamis.anomaly.ratio_detector import RatioDetector
from tamis.anomaly.residual import ProtectedResidual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# check_roc_auc needs scikit-learn, which is not a dependency: test_ranking below asserts the same.
NOT_HERE = {"check_roc_auc"}


class _Counts:
    """Counts around 20 with three outages, labelled; iterates anew each time."""

    def __iter__(self) -> Iterator[tuple[dict[str, float], bool]]:
        rng = random.Random(5)
        for minute in range(1000):
            broken = minute % 300 > 285
            yield {"t": minute, "y": 0 if broken else max(0, round(rng.gauss(20, 5))), "u": 60}, broken


DETECTORS = [AbsenceDetector, CountDetector, NoveltyEnsemble, ProtectedResidual, RatioDetector]


def _river_checks() -> Iterator[Any]:
    patch = pytest.MonkeyPatch()
    patch.setattr(checks, "_yield_datasets", lambda _model, scale=1: iter([_Counts()]))
    for detector in DETECTORS:
        for check in checks.yield_checks(detector()):
            if check.__name__ not in NOT_HERE:
                yield pytest.param(detector, check, id=f"{detector.__name__}-{check.__name__}")
    patch.undo()


@pytest.mark.parametrize(("detector", "check"), list(_river_checks()))
def test_river_check(detector: Any, check: Callable[[Any], None]) -> None:
    check(detector())


@pytest.mark.parametrize("detector", DETECTORS)
def test_all_of_rivers_general_and_anomaly_checks_are_run(detector: Any) -> None:
    ours = f"{detector.__name__}-"
    names = {param.id.removeprefix(ours) for param in _river_checks() if str(param.id).startswith(ours)}
    assert {"check_pickling", "check_clone_is_independent", "check_bounded_memory_growth", "check_repr"} <= names
    assert len(names) >= 20


def test_ranking() -> None:
    detector, scores = CountDetector(), list[tuple[float, bool]]()
    for x, broken in _Counts():
        scores.append((detector.score_one(x), broken))
        detector.learn_one(x)
    bad, good = [s for s, b in scores if b], [s for s, b in scores if not b]
    wins = sum((b > g) + 0.5 * (b == g) for b in bad for g in good)
    assert wins / (len(bad) * len(good)) > 0.8


def test_score_one_changes_nothing_and_equals_what_observe_says() -> None:
    detector = CountDetector()
    for x, _ in _Counts():
        before = detector.encode()
        score = detector.score_one(x)
        assert detector.encode() == before
        assert detector.observe(int(x["t"]), x["y"]).score == score


@pytest.mark.parametrize("module", [absence, count_detector, novelty, ratio_detector, residual])
def test_the_example_in_the_documentation_holds(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted >= 4
    assert result.failed == 0
