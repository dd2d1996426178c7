"""How the count detector does on seeded traffic: false alarms per series-week, recall and delay per fault, cost.

    python -m bench.detection_smoke [--seeds 100:102] [--quiet] [--json]

Rules: one detector setting for every stream; three weeks to learn, two weeks judged; a fault counts as found if an
incident opens within it or ten minutes after; a false alarm is an incident outside every fault and the hour after it;
recall is given over the faults that even somebody who knows the true intensity could be sure of. Simulator and detector
have the same author: real traffic will be harsher. Seeds 0 to 3 were used to choose the settings; quote others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.detection_traffic import DAY, FAULTS, FIRST_MINUTE, SHAPES, Series, make
from tamis.anomaly.count_detector import CountDetector
from tamis.anomaly.incidents import IncidentPolicy, Incidents, RuleFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVELS = (0.5, 2.0, 10.0, 50.0, 200.0, 1000.0)
LEARN_WEEKS, JUDGED_WEEKS = 3, 2
GRACE, AFTERMATH = 10, 60


@dataclass(frozen=True)
class Run:
    """What one series gave.

    Attributes:
        level: mean events per minute.
        shape: of the day.
        false_alarms: after the learning weeks.
        early_alarms: within the learning weeks (no faults there).
        found: (kind, findable, delay in minutes or None) of each fault.
        cpu_us: CPU time per point.
        state_bytes: encoded detector at the end.
    """

    level: float
    shape: str
    false_alarms: int
    early_alarms: int
    found: list[tuple[str, bool, int | None]]
    cpu_us: float
    state_bytes: int


def evaluate(series: Series) -> Run:
    """Run one series through detector and incident life cycle."""
    detector, incidents, opened = CountDetector(), Incidents("s/r", IncidentPolicy()), list[int]()
    facts, counts = RuleFacts(), series.counts.tolist()
    began = time.process_time()
    for i, count in enumerate(counts):
        alert = incidents.step(i, detector.observe(FIRST_MINUTE + i, count), facts)
        if alert is not None and alert.state == "open":
            opened.append(i)
    cpu_us = (time.process_time() - began) / len(counts) * 1e6
    found = []
    for fault in series.faults:
        hits = [i for i in opened if fault.start <= i < fault.end + GRACE]
        found.append((fault.kind, fault.findable, hits[0] - fault.start if hits else None))
    outside = [i for i in opened if not any(fault.start <= i < fault.end + AFTERMATH for fault in series.faults)]
    learned = LEARN_WEEKS * 7 * DAY
    late = sum(i >= learned for i in outside)
    return Run(series.level, series.shape, late, len(outside) - late, found, cpu_us, len(detector.encode()))


def summary(runs: list[Run]) -> dict[str, object]:
    """The table as plain values."""
    judged = JUDGED_WEEKS * len(runs)
    faults: dict[str, dict[str, float | int | None]] = {}
    for kind in FAULTS:
        rows = [row for run in runs for row in run.found if row[0] == kind]
        sure = [row for row in rows if row[1]]
        delays = [row[2] for row in sure if row[2] is not None]
        faults[kind] = {
            "faults": len(rows),
            "findable": len(sure),
            "recall": round(len(delays) / len(sure), 3) if sure else None,
            "median_delay_min": statistics.median(delays) if delays else None,
        }
    return {
        "series": len(runs),
        "series_weeks": judged,
        "false_alarms_per_series_week": round(sum(run.false_alarms for run in runs) / judged, 3),
        "learning_alarms_per_series_week": round(sum(run.early_alarms for run in runs) / (LEARN_WEEKS * len(runs)), 3),
        "by_shape": _rates(runs, "shape"),
        "by_level": _rates(runs, "level"),
        "faults": faults,
        "cpu_us_per_point": round(statistics.median(run.cpu_us for run in runs), 1),
        "state_bytes": max(run.state_bytes for run in runs),
    }


def _rates(runs: Iterable[Run], by: str) -> dict[str, float]:
    alarms: dict[str, list[int]] = defaultdict(list)
    for run in runs:
        alarms[f"{getattr(run, by):g}" if by == "level" else str(getattr(run, by))].append(run.false_alarms)
    return {key: round(sum(each) / (JUDGED_WEEKS * len(each)), 3) for key, each in alarms.items()}


def print_table(found: dict[str, object]) -> None:
    """For people."""
    for key, value in found.items():
        if key == "faults" and isinstance(value, dict):
            for kind, row in value.items():
                print(f"{kind:34} {row}")
        else:
            print(f"{key:34} {value}")


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description="Count detector on seeded traffic.")
    parser.add_argument("--seeds", default="100:101", help="first:end")
    parser.add_argument("--quiet", action="store_true", help="no faults: every incident is a false alarm")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    first, _, end = options.seeds.partition(":")
    runs = [
        evaluate(make(seed, shape, level, LEARN_WEEKS + JUDGED_WEEKS, faults=not options.quiet))
        for seed in range(int(first), int(end))
        for shape in SHAPES
        for level in LEVELS
    ]
    if options.json:
        print(json.dumps(summary(runs)))
    else:
        print_table(summary(runs))


if __name__ == "__main__":
    main()
