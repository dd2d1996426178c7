"""A worker with the consent role alone, to be started, killed and started again by tests.

Run as ``python -m tests.support.consent_worker '{...}'``; the argument is a ``ConsentJob`` as JSON.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.normalise import Normaliser
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.bundle import Policy
from tamis.domain.identity import SubjectKeys
from tamis.domain.quarantine import QuarantineSealer
from tamis.kafka.partitioner import partition_of
from tamis.streaming.agents.consent import ConsentConfig, register_consent_agents
from tamis.streaming.app import EdgeTuning, Guarantee, make_app
from tamis.streaming.run import run_apps

KEYS = SubjectKeys(b"k" * 32)
POLICY = Policy(
    purposes=("analytics", "marketing"),
    aliases={"analytics": "analytics", "marketing": "marketing", "Analytics": "analytics", "Advertising": "marketing"},
)
RAW_PARTITIONS = 2


class ConsentJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker does.

    Attributes:
        prefix: of topic names and consumer group.
        bootstrap: broker addresses.
        guarantee: exactly_once or at_least_once.
        worker: number of this worker.
        partitions: of ``consent.changes`` and what follows it.
        empty_every_s: see ``ConsentConfig``.
    """

    prefix: str
    bootstrap: str
    guarantee: Guarantee = "exactly_once"
    worker: str = "0"
    partitions: int = 4
    empty_every_s: float = 0.5

    def topics(self) -> dict[str, int]:
        """The topics it needs, with their partition counts."""
        p = self.partitions
        counts = {"consent.raw": RAW_PARTITIONS, "consent.changes": p, "consent.state": p, "events.quarantine": p}
        return {self.prefix + name: count for name, count in counts.items()}


def day_key(day: str) -> bytes:
    """The quarantine key of a day."""
    return day.encode().ljust(32, b".")


def build(job: ConsentJob, datadir: Path) -> Any:
    """The app of one consent worker."""
    tuning = EdgeTuning(linger_s=0.02, session_timeout_s=6.0, heartbeat_s=1.0, rebalance_timeout_s=20.0)
    app = make_app(
        f"{job.prefix}consent",
        bootstrap=job.bootstrap,
        datadir=datadir,
        worker=job.worker,
        guarantee=job.guarantee,
        partitions=job.partitions,
        tuning=tuning,
    )
    config = ConsentConfig(
        topic=lambda name: job.prefix + name, partitions=job.partitions, empty_every_s=job.empty_every_s
    )
    normaliser = Normaliser(
        ConsentReader(),
        Keying(POLICY, KEYS),
        QuarantineSealer(day_key, b"p" * 32),
        topic="consent.raw",
        raw_partitions=RAW_PARTITIONS,
        partitions=job.partitions,
        partition_of=partition_of,
    )
    register_consent_agents(app, config, normaliser, lambda: secrets.token_bytes(32))
    return app


def main() -> int:
    """Run the job given as the first argument."""
    logging.basicConfig(level=os.environ.get("CONSENT_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(message)s")
    job = msgspec.json.decode(sys.argv[1], type=ConsentJob)
    with tempfile.TemporaryDirectory(prefix="tamis-consent-") as folder:
        return run_apps([build(job, Path(folder))], ready=lambda: print("READY", flush=True))


if __name__ == "__main__":
    sys.exit(main())
