"""A worker with the metrics and anomaly roles alone, to be started, killed and started again by tests.

Run as ``python -m tests.support.metrics_worker '{...}'``; the argument is a ``MetricsJob`` as JSON.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from tamis.anomaly.incidents import RuleFacts
from tamis.streaming.agents.anomaly import AnomalyConfig, register_anomaly
from tamis.streaming.agents.windows import SilentWindows, register_windows
from tamis.streaming.app import EdgeTuning, Guarantee, make_app
from tamis.streaming.reader import KafkaTopicReader
from tamis.streaming.run import run_apps

K = 10
"""Fewest people of a published count."""


class MetricsJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker does.

    Attributes:
        prefix: of topic names and consumer groups.
        bootstrap: broker addresses.
        guarantee: exactly_once or at_least_once.
        worker: number of this worker.
        partitions: of the metrics topics.
        batch_records: most records of a batch; small ones make many transactions.
    """

    prefix: str
    bootstrap: str
    guarantee: Guarantee = "exactly_once"
    worker: str = "0"
    partitions: int = 2
    batch_records: int = 40

    def topics(self) -> dict[str, int]:
        """The topics it needs, with their partition counts."""
        names = ("partials", "open", "windows", "rollups", "public", "state")
        return {f"{self.prefix}metrics.{name}": self.partitions for name in names} | {self.prefix + "alerts": 1}


def facts(rule: str) -> RuleFacts:
    """Owners of the test's rules."""
    return RuleFacts(owner=f"team-{rule}")


def build(job: MetricsJob, datadir: Path) -> list[Any]:
    """The apps of one worker."""
    apps = [_app(job, role, datadir) for role in ("metrics", "anomaly")]
    register_windows(
        apps[0], job.prefix.__add__, job.partitions, SilentWindows(), record_time=False, k=K, sources=("events.raw",)
    )
    config = AnomalyConfig(topic=job.prefix.__add__, partitions=job.partitions)
    register_anomaly(apps[1], config, facts, KafkaTopicReader({"bootstrap_servers": job.bootstrap}))
    return apps


def _app(job: MetricsJob, role: str, datadir: Path) -> Any:
    return make_app(
        job.prefix + role,
        bootstrap=job.bootstrap,
        datadir=datadir / role,
        worker=job.worker,
        guarantee=job.guarantee,
        partitions=job.partitions,
        tuning=EdgeTuning(
            linger_s=0.02,
            session_timeout_s=6.0,
            heartbeat_s=1.0,
            rebalance_timeout_s=20.0,
            max_batch_records=job.batch_records,
        ),
    )


def main() -> int:
    """Run the job given as the first argument."""
    logging.basicConfig(level=os.environ.get("METRICS_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(message)s")
    job = msgspec.json.decode(sys.argv[1], type=MetricsJob)
    with tempfile.TemporaryDirectory(prefix="tamis-metrics-") as folder:
        for role in ("metrics", "anomaly"):
            (Path(folder) / role).mkdir()
        return run_apps(build(job, Path(folder)), ready=lambda: print("READY", flush=True))


if __name__ == "__main__":
    sys.exit(main())
