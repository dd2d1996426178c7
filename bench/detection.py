"""How the detectors of ``tamis detect`` do: own simulator on fresh seeds, the benchmark NAB, cost; beside references.

    python -m bench.detection [--seeds 2000:2048] [--nab FOLDER] [--json]

Rules: one fixed setting for every stream. Seeds below 1,000 were used to choose settings, 1,000 to 1,999 to validate
them; reports use 2,000 and above. Three weeks to learn, three judged. A fault is found if a new incident is told
within it or ten minutes after; a false alarm is one outside every fault and the two hours after it; recall is over the
faults that one who knows the true intensity could be sure of. References, in the same run on the same rows: River's
``StandardAbsoluteDeviation`` with a cool-down of an hour, and ``GaussianScorer``. NAB is used in place and skipped when
it is absent (variable TAMIS_SHARED, or ../shared beside the repository).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import defaultdict
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from river import anomaly, stats

from bench.traffic.calendar import WEEK
from bench.traffic.faults import KINDS
from bench.traffic.nab import nab_scores
from bench.traffic.series import JUDGED_WEEKS, LEARN_WEEKS, Series, make
from tamis.anomaly.stream_detector import StreamDetector

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE, AFTERMATH, COOL_DOWN = 10, 120, 60
ROOT = Path(__file__).resolve().parents[1]


class Judge(Protocol):
    """Anything that is compared: score and alert of one row."""

    def observe(self, time: int, value: float | None, upstream: float | None) -> tuple[float, bool]:
        """Score 0..1 and whether somebody is told."""
        ...


class Ours:
    """The product."""

    def __init__(self, interval: int = 60) -> None:
        self._detector = StreamDetector(interval)

    def observe(self, time: int, value: float | None, upstream: float | None) -> tuple[float, bool]:
        """Score and alert of the stream detector."""
        verdict = self._detector.observe(time, value, upstream)
        return verdict.score, verdict.alert


class Stock:
    """A stock River detector with a threshold and a cool-down."""

    def __init__(self, model: Any, threshold: float) -> None:
        self._model, self._threshold, self._since = model, threshold, COOL_DOWN

    def observe(self, time: int, value: float | None, upstream: float | None) -> tuple[float, bool]:
        """Score and alert of the model on the value alone."""
        del time, upstream
        y = value or 0.0
        try:
            found = float(self._model.score_one(None, y))
        except TypeError:  # River's rolling variance can come out below zero, and its root is no real number
            found = 0.0
        self._model.learn_one(None, y)
        score = found / (found + self._threshold) if found > 0.0 else 0.0
        self._since += 1
        alert = score >= 0.5 and self._since > COOL_DOWN
        self._since = 0 if alert else self._since
        return score, alert


JUDGES: dict[str, Callable[[], Judge]] = {
    "tamis": Ours,
    "StandardAbsoluteDeviation": lambda: Stock(anomaly.StandardAbsoluteDeviation(sub_stat=stats.Mean()), 6.0),
    "GaussianScorer": lambda: Stock(anomaly.GaussianScorer(window_size=1000, grace_period=100), 0.99999),
}


def run(series: Series, judge: Judge) -> dict[str, Any]:
    """One series through one detector."""
    n, first = len(series.value), LEARN_WEEKS * WEEK
    values = series.value.tolist()
    upstream = [None] * n if series.upstream is None else series.upstream.tolist()
    lost, near = series.lost.tolist(), bytearray(n)
    for fault in series.faults:
        near[fault.start : min(n, fault.end + AFTERMATH)] = bytes([1]) * (min(n, fault.end + AFTERMATH) - fault.start)
    told, above, healthy = [], 0, 0
    began = time.process_time()
    for i in range(n):
        if lost[i]:
            continue
        score, alert = judge.observe(60 * (series.start + i), values[i], upstream[i])
        if alert:
            told.append(i)
        if i >= first and not near[i]:
            healthy += 1
            above += score >= 0.5
    cpu_us = (time.process_time() - began) / n * 1e6
    found = []
    for fault in series.faults:
        hits = [i for i in told if fault.start <= i < fault.end + GRACE]
        found.append((fault.kind, fault.findable, hits[0] - fault.start if hits else None))
    outside = [i for i in told if not near[i]]
    late = sum(i >= first for i in outside)
    return {
        "shape": series.shape, "level": f"{series.level:g}", "upstream": series.upstream is not None,
        "false": late, "early": len(outside) - late, "found": found, "cpu_us": cpu_us, "above": above / max(1, healthy),
    }  # fmt: skip


def _seed(seed: int) -> dict[str, dict[str, Any]]:
    series = make(seed)
    return {name: run(series, make_judge()) for name, make_judge in JUDGES.items()}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The table of one detector as plain values."""
    weeks, faults = JUDGED_WEEKS * len(runs), dict[str, dict[str, Any]]()
    rows = [row for each in runs for row in each["found"]]
    for kind in KINDS:
        of_kind = [row for row in rows if row[0] == kind]
        sure = [row for row in of_kind if row[1]]
        delays = [row[2] for row in sure if row[2] is not None]
        faults[kind] = {
            "faults": len(of_kind),
            "findable": len(sure),
            "found": len(delays),
            "recall": round(len(delays) / len(sure), 3) if sure else None,
            "median_delay_min": statistics.median(delays) if delays else None,
        }
    findable, found = (sum(each[key] for each in faults.values()) for key in ("findable", "found"))
    return {
        "series_weeks": weeks,
        "false_alarms_per_series_week": round(sum(each["false"] for each in runs) / weeks, 3),
        "learning_alarms_per_series_week": round(sum(each["early"] for each in runs) / (LEARN_WEEKS * len(runs)), 3),
        "recall_of_findable": round(found / findable, 3) if findable else None,
        "share_of_healthy_time_above_max": round(max(each["above"] for each in runs), 4),
        "share_of_healthy_time_above_mean": round(statistics.mean(each["above"] for each in runs), 5),
        "cpu_us_per_point": round(statistics.median(each["cpu_us"] for each in runs), 1),
        **{f"by_{key}": _rates(runs, key) for key in ("shape", "level", "upstream")},
        "faults": faults,
    }


def _rates(runs: list[dict[str, Any]], key: str) -> dict[str, float]:
    alarms: dict[str, list[int]] = defaultdict(list)
    for each in runs:
        alarms[str(each[key])].append(each["false"])
    return {name: round(statistics.mean(each) / JUDGED_WEEKS, 3) for name, each in alarms.items()}


def print_table(report: dict[str, Any]) -> None:
    """For people."""
    for name, table in report["simulator"].items():
        print(f"\n{name}")
        for key, value in table.items():
            if key != "faults":
                print(f"  {key:36} {value}")
        for kind, row in table["faults"].items():
            delay = row["median_delay_min"]
            print(f"  {kind:16} found {row['found']:4} of {row['findable']:4} findable, median delay {delay} min")
    print(f"\nNAB: {json.dumps(report['nab'], indent=1) if report['nab'] else 'skipped, not there'}")


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description="Detectors on seeded realistic traffic and NAB.")
    parser.add_argument("--seeds", default="2000:2048", help="first:end")
    shared = Path(os.environ.get("TAMIS_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--nab", type=Path, default=shared, help="folder with data/nab and tools/nab_score.py")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    first, _, end = options.seeds.partition(":")
    with Pool(options.processes) as pool:
        runs = pool.map(_seed, range(int(first), int(end)), chunksize=1)
    report = {
        "seeds": options.seeds,
        "simulator": {name: summary([each[name] for each in runs]) for name in JUDGES},
        "nab": nab_scores(options.nab),
    }
    if options.json:
        print(json.dumps(report))
    else:
        print_table(report)


if __name__ == "__main__":
    main()
