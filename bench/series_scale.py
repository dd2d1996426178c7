"""Ten thousand live series on one core: what a point costs and how large a series is; beside stock River detectors.

    python -m bench.series_scale [--series 10000] [--minutes 30] [--json]

Rules: sites of ten series, a page and nine conversions judged with it; their detectors have seen three weeks of
simulated traffic before (``bench.traffic``), so every part that a series can have is there. CPU is of the whole board:
windows taken, minutes judged, sites judged, snapshots due. Memory is what the process holds more than before,
after garbage was collected. References in the same run: River's ``GaussianScorer`` and ``StandardAbsoluteDeviation``,
one a series, on the same counts; their state can only be pickled.
"""

from __future__ import annotations

import argparse
import gc
import json
import pickle
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from river import anomaly, stats

from bench.traffic.series import make
from tamis.anomaly.board import Board, BoardPolicy, closings
from tamis.anomaly.incidents import RuleFacts
from tamis.records.metrics import Closing, Window, WindowCell

if TYPE_CHECKING:
    from collections.abc import Callable

PER_SITE = 10
WARM_SEEDS = (1_024, 1_028, 1_036, 1_042)  # levels of 10 to 1,000 a minute
WARM_MINUTES = 21 * 1_440
START = 29_459_520  # Monday, 5 January 2026, 00:00 UTC
PAGE = 4_096
AFTER = 10 * WARM_MINUTES  # an offset after all of the history's


STOCK: dict[str, Callable[[], Any]] = {
    "GaussianScorer": lambda: anomaly.GaussianScorer(window_size=1000, grace_period=100),
    "StandardAbsoluteDeviation": lambda: anomaly.StandardAbsoluteDeviation(sub_stat=stats.Mean()),
}


def _facts(rule: str) -> RuleFacts:
    return RuleFacts(owner="team", upstream="page" if rule != "page" else "", expected_by="10:00")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _windows(site: str, minute: int, counts: dict[str, int]) -> list[Window]:
    return [
        Window(series=f"{site}/{rule}", minute=minute, cells=(WindowCell("accepted", "granted", n, 0.0),))
        for rule, n in counts.items()
        if n
    ]


class Site:
    """Three weeks of one site, learned once, and what comes after them."""

    def __init__(self, seed: int) -> None:
        series = make(seed, faults=False)
        upstream = series.value * 5 if series.upstream is None else series.upstream
        self.page, self.lead = upstream.tolist(), series.value.tolist()
        board = Board(_facts)
        for offset, record in enumerate(closings((START + i, self.counted("s", i, 1)) for i in range(WARM_MINUTES))):
            board.take(offset, record)
        self.snapshots = board.snapshots()

    def counted(self, site: str, i: int, conversions: int) -> list[Window]:
        """Windows of the i-th minute."""
        leads = {f"lead{k}": self.lead[i] for k in range(conversions)}
        return _windows(site, START + i, {"page": self.page[i], **leads})


def _measured(sites: list[Site], count: int, minutes: int) -> dict[str, Any]:
    board, sizes = Board(_facts, BoardPolicy(most_series=count)), list[int]()
    gc.collect()
    before = _resident()
    for number in range(count // PER_SITE):
        snapshots = sites[number % len(sites)].snapshots
        for rule in ("page", *(f"lead{k}" for k in range(PER_SITE - 1))):
            value = snapshots["s/page" if rule == "page" else "s/lead0"]
            board.restore(f"s{number}/{rule}", value)
            sizes.append(len(value))
        board.restore(f"s{number}/*", snapshots["s/*"])
    gc.collect()
    held = _resident() - before
    records = [_minute(sites, count // PER_SITE, WARM_MINUTES + i) for i in range(minutes)]
    began = time.process_time()
    for offset, minute in enumerate(records, start=AFTER):
        for record in minute:
            board.take(offset, record)
        board.drain_snapshots()
    spent = time.process_time() - began
    return {
        "series": len(board),
        "points": len(board) * minutes,
        "cpu_us_per_point": round(spent / (len(board) * minutes) * 1e6, 1),
        "share_of_a_core": round(spent / (60 * minutes), 4),
        "state_bytes_mean": round(statistics.mean(sizes)),
        "state_bytes_max": max(sizes),
        "memory_bytes_per_series": round(held / len(board)),
    }


def _minute(sites: list[Site], count: int, i: int) -> list[Closing]:
    counted = (sites[number % len(sites)].counted(f"s{number}", i, PER_SITE - 1) for number in range(count))
    return list(closings([(START + i, [window for windows in counted for window in windows])]))


def _stock(name: str, made: Any, values: list[int], points: int) -> dict[str, Any]:
    model, began = made(), time.process_time()
    for i in range(points):
        y = values[i % len(values)]
        model.score_one(None, y)
        model.learn_one(None, y)
    spent = time.process_time() - began
    size = len(pickle.dumps(model))
    return {"detector": name, "cpu_us_per_point": round(spent / points * 1e6, 1), "pickled_bytes": size}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Cost and size of many watched series.")
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    sites = [Site(seed) for seed in WARM_SEEDS]
    report: dict[str, Any] = {
        "tamis": _measured(sites, options.series, options.minutes),
        "references": [_stock(name, made, sites[0].lead, 100_000) for name, made in STOCK.items()],
    }
    if options.json:
        print(json.dumps(report))
        return
    for key, value in report["tamis"].items():
        print(f"{key:26} {value:>12}")
    for row in report["references"]:
        print(f"{row['detector']:26} {row['cpu_us_per_point']:>12} us a point, {row['pickled_bytes']} bytes pickled")


if __name__ == "__main__":
    main()
