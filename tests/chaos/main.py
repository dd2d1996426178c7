"""The long fault runs: a whole system on three Kafka nodes, millions of events, and a table of what was found.

    python -m tests.chaos.main [--events N] [--faults kzgB+-...] [--workers N] [--seed N] [--rounds N] [--json]

Exit code 0 when every round was sound, 1 when one was not, 2 when Kafka cannot be had here. An unsound round names what
is wrong, and leaves its logs. Faults: see
`tests.support.chaos`; what is checked: see `tests.support.storm`.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table

from tests.support.kafka.cluster import KafkaCluster
from tests.support.kafka.jars import KafkaUnavailableError
from tests.support.storm import Aftermath, Storm, weather

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS = 2_000_000
INTERRUPTED = 143
FAULTS = "kz+Bgk-zCk+gTz-kRgBkCT"
NAMES = {
    "k": "worker killed", "z": "worker frozen", "g": "worker stopped", "+": "worker joins", "-": "worker leaves",
    "B": "broker killed", "R": "brokers restarted in turn", "C": "group coordinator killed",
    "T": "transaction coordinator killed",
}  # fmt: skip
LEAST_S, PER_FAULT_S, EVENTS_PER_S = 300.0, 60.0, 4_000.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One round, for `--json`."""

    seed: int
    faults: dict[str, int]
    events: int
    leaves: int
    missing: int
    doubled: int
    lost: int
    repeated: int
    broken_trees: int
    counted: int
    statements: int
    unheard: int
    worker_exits: dict[str, int]
    seconds: float
    longest_stall_s: float
    problems: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.main")
    parser.add_argument("--events", type=int, default=EVENTS, help="records of events.raw a round")
    parser.add_argument(
        "--faults", default=FAULTS, help="letters, in order: " + ", ".join(map(" ".join, NAMES.items()))
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes at the beginning")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=3, help="Kafka nodes")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep logs here")
    parser.add_argument("--json", action="store_true", help="the last line is the rows as JSON")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.faults) - set(NAMES):
        parser.error(f"unknown faults {''.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))  # so that brokers and workers are put away
    try:
        rows = rounds(chosen)
    except KafkaUnavailableError as error:
        print(f"MISSING KAFKA: {error}", file=sys.stderr)
        return 2
    show(rows)
    if chosen.json:
        print(msgspec.json.encode(rows).decode())
    return 1 if any(row.problems for row in rows) else 0


def rounds(chosen: argparse.Namespace) -> list[Row]:
    """All rounds, each on a system of its own on one cluster."""
    rows = []
    with KafkaCluster(nodes=chosen.nodes, heap_mb=512) as kafka:
        for seed in range(chosen.seed, chosen.seed + chosen.rounds):
            folder = (chosen.folder or Path(tempfile.mkdtemp(prefix="tamis-chaos-"))) / f"round-{seed}"
            storm = Storm(
                events=chosen.events,
                faults=chosen.faults,
                workers=chosen.workers,
                seed=seed,
                timeout_s=LEAST_S + PER_FAULT_S * len(chosen.faults) + chosen.events / EVENTS_PER_S,
                gap_s=(1.0, 6.0),
            )
            print(f"round {seed}: {storm.events:,} records, {len(storm.faults)} faults, logs in {folder}", flush=True)
            rows.append(row_of(seed, weather(kafka, folder, storm)))
    return rows


def row_of(seed: int, after: Aftermath) -> Row:
    """One round's figures."""
    found, report = after.found, after.report
    return Row(
        seed=seed,
        faults={NAMES[letter]: n for letter, n in sorted(Counter(report.faults).items())},
        events=found.events,
        leaves=found.leaves,
        missing=found.missing,
        doubled=found.doubled,
        lost=found.lost,
        repeated=found.repeated,
        broken_trees=len(found.broken_logs),
        counted=(found.window_sum + found.open_sum).total(),
        statements=after.bystanders,
        unheard=after.unheard,
        worker_exits={str(code): n for code, n in sorted(report.exits.items())},
        seconds=round(report.seconds, 1),
        longest_stall_s=round(after.stall_s, 1),
        problems=after.problems(),
    )


def show(rows: list[Row]) -> None:
    """Print the table, and the problems below it."""
    table = Table(title="a whole system under faults, read back with read_committed")
    for name in ("", *(f"round {row.seed}" for row in rows)):
        table.add_column(name, justify="left" if not name else "right")
    lines = {
        "faults": lambda row: str(sum(row.faults.values())),
        "records, events": lambda row: f"{row.events:,}, {row.leaves:,}",
        "missing": lambda row: f"{row.missing:,}",
        "doubled": lambda row: f"{row.doubled:,}",
        "destination records lost": lambda row: f"{row.lost:,}",
        "destination records repeated": lambda row: f"{row.repeated:,}",
        "audit trees that fail": lambda row: f"{row.broken_trees}",
        "events counted in windows": lambda row: f"{row.counted:,}",
        "consent statements lost": lambda row: f"{row.unheard} of {row.statements}",
        "worker exits": lambda row: ", ".join(f"{n} x {code}" for code, n in row.worker_exits.items()) or "none",
        "longest stall": lambda row: f"{row.longest_stall_s} s",
        "took": lambda row: f"{row.seconds} s",
        "verdict": lambda row: "UNSOUND" if row.problems else "sound",
    }
    for name in sorted({fault for row in rows for fault in row.faults}):
        table.add_row(f"  {name}", *(str(row.faults.get(name, 0)) for row in rows))
    for name, text in lines.items():
        table.add_row(name, *map(text, rows))
    Console(width=120).print(table)
    for row in rows:
        for problem in row.problems:
            print(f"round {row.seed}: {problem}")


if __name__ == "__main__":
    sys.exit(main())
