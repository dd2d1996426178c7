"""A worker whose agent copies each event to two topics; the subject of the transport's own tests.

Run as `python -m tests.support.copy_worker '{...}'`; the argument is a `CopyJob` as JSON. It can be slow, raise, skip a
batch and count keys in a table, so that faults hit every part of the transport.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from tamis.streaming.app import EdgeTuning, Guarantee, make_app
from tamis.streaming.run import run_apps
from tamis.streaming.transport.topic import batch_topic


class CopyJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker does.

    Attributes:
        name: consumer group; topics are `<name>-in`, `<name>-a`, `<name>-b`.
        bootstrap: broker addresses.
        guarantee: exactly_once or at_least_once.
        worker: number of this worker.
        pause_s: time an agent spends in each batch, in seconds.
        fail: probability that the agent raises inside a batch.
        skip: probability that the agent ignores a batch.
        table: count each key in a table.
        max_batch_records: most records in a batch.
        linger_s: pause of a partition after a small batch, in seconds.
        session_timeout_s: of the consumer group, in seconds.
        log_batches: a file that gets a line `partition first next` per batch.
    """

    name: str
    bootstrap: str
    guarantee: Guarantee = "exactly_once"
    worker: str = "0"
    pause_s: float = 0.0
    fail: float = 0.0
    skip: float = 0.0
    table: bool = False
    max_batch_records: int = 1_000
    linger_s: float = 0.02
    session_timeout_s: float = 6.0
    log_batches: str | None = None


def build(job: CopyJob, datadir: Path) -> Any:
    """The app of one copy worker."""
    tuning = EdgeTuning(
        max_batch_records=job.max_batch_records,
        linger_s=job.linger_s,
        session_timeout_s=job.session_timeout_s,
        heartbeat_s=1.0,
        rebalance_timeout_s=20.0,
    )
    app = make_app(
        job.name,
        bootstrap=job.bootstrap,
        datadir=datadir,
        worker=job.worker,
        guarantee=job.guarantee,
        tuning=tuning,
    )
    table = app.Table("counts", partitions=8, key_type=bytes, value_type=bytes) if job.table else None
    chance = random.Random()
    seen = Path(job.log_batches).open("a", buffering=1) if job.log_batches else None  # noqa: SIM115 - lives with the process

    @app.agent(batch_topic(app, f"{job.name}-in"))
    async def copy(stream: Any) -> None:
        async for batch in stream:
            if chance.random() < job.skip:
                continue
            async with batch:
                items = [(r.key, r.value) for r in batch]
                batch.send(f"{job.name}-a", items)
                if table is not None:
                    _count(table, batch)
                if job.pause_s:
                    await asyncio.sleep(job.pause_s)
                if chance.random() < job.fail:
                    raise RuntimeError("poison")
                batch.send(f"{job.name}-b", items)
                if seen is not None:
                    seen.write(f"{batch.partition} {batch.first} {batch.next} {len(batch)}\n")

    return app


def _count(table: Any, batch: Any) -> None:
    for record in batch:
        key = b"%d:%s" % (batch.partition, record.key)
        table[key] = b"%d" % (int(table.get(key) or b"0") + 1)


def main() -> int:
    """Run the job given as the first argument."""
    logging.basicConfig(level=os.environ.get("COPY_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(message)s")
    job = msgspec.json.decode(sys.argv[1], type=CopyJob)
    with tempfile.TemporaryDirectory(prefix="tamis-copy-") as folder:
        return run_apps([build(job, Path(folder))], ready=lambda: print("READY", flush=True))


if __name__ == "__main__":
    sys.exit(main())
