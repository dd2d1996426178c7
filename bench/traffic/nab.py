"""The Numenta Anomaly Benchmark, in place: every file through the stream detector and two stock River detectors."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from river import anomaly

from tamis.anomaly.stream_detector import StreamDetector
from tamis.services.series_file import SeriesFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COOL_DOWN = 80


def _ours(path: Path) -> list[float]:
    with path.open(newline="") as lines:
        file = SeriesFile(lines, lenient=True)
        detector = StreamDetector(file.interval)
        return [0.0 if r.time is None else detector.observe(r.time, r.value, r.upstream).score for r in file]


def _stock(model: Any, path: Path) -> list[float]:
    scores, since, heard = [], COOL_DOWN, 0.0
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            value = float(row["value"])
            score = abs(float(model.score_one(None, value)))
            model.learn_one(None, value)
            since += 1
            if score > 0.0 and (since > COOL_DOWN or score > heard):
                since, heard = 0, score
                scores.append(score)
            else:
                scores.append(0.0)
    return scores


DETECTORS: dict[str, Callable[[Path], list[float]]] = {
    "tamis": _ours,
    "StandardAbsoluteDeviation": lambda path: _stock(anomaly.StandardAbsoluteDeviation(sub_stat="mean"), path),
    "GaussianScorer": lambda path: _stock(anomaly.GaussianScorer(window_size=1000, grace_period=100), path),
}


def nab_scores(shared: Path) -> dict[str, Any] | None:
    """Normalised scores by profile at the own best threshold and, for ours, at 0.5; None where NAB is absent."""
    folder, tool = shared / "data" / "nab", shared / "tools" / "nab_score.py"
    if not folder.is_dir() or not tool.is_file():
        return None
    spec = importlib.util.spec_from_file_location("nab_score", tool)
    assert spec is not None
    assert spec.loader is not None
    scorer = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = scorer  # its dataclasses look for their module
    spec.loader.exec_module(scorer)
    report: dict[str, Any] = {}
    labels = json.loads((folder / "windows.json").read_text())
    for name, judge in DETECTORS.items():
        files, points, began = [], 0, time.process_time()
        for relative, spans in sorted(labels.items()):
            scores = judge(folder / relative)
            times = [scorer.parse_time(text) for text in scorer.read_columns(folder / relative, "timestamp")[0]]
            windows = [(scorer.parse_time(start), scorer.parse_time(end)) for start, end in spans]
            files.append(scorer.scored_file(relative, times, windows, scores))
            points += len(scores)
        cpu_us = (time.process_time() - began) / points * 1e6
        best = scorer.score_corpus(files)
        report[name] = {
            "own_threshold": {profile: round(each["score"], 1) for profile, each in best.items()},
            "thresholds": {profile: each["threshold"] for profile, each in best.items()},
            "cpu_us_per_point_with_reading": round(cpu_us, 1),
        }
        if name == "tamis":
            fixed = scorer.score_corpus(files, dict.fromkeys(scorer.PROFILES, 0.5))
            report[name]["threshold_0.5"] = {profile: round(each["score"], 1) for profile, each in fixed.items()}
    return report
