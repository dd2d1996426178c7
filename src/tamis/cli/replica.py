"""``tamis replica``: keep this host's copy of the consent records up to date."""

from __future__ import annotations

import asyncio
import signal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamis.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tamis.services.replica import ReplicaProgress


@click.command()
@click.option("--once", is_flag=True, help="End when it has caught up, instead of following for ever.")
@pass_session
def command(session: Session, *, once: bool) -> None:
    """Follow consent.state into the replica that this host's workers read; one per host.

    It resumes where it ended; a damaged file, or one of another topic, is moved aside and built anew. SIGTERM ends it
    cleanly.
    """
    from tamis.telemetry.logs import configure_logs
    from tamis.telemetry.metrics import Telemetry, vocabulary

    settings = session.settings
    configure_logs(settings.telemetry)
    telemetry = Telemetry(vocabulary(version("tamis"), "replica"), settings.topics.prefix)
    telemetry.serve(settings.telemetry)
    try:
        asyncio.run(_run(session, telemetry.replica.progress, once=once))
    finally:
        telemetry.stop()


async def _run(session: Session, on_progress: Callable[[ReplicaProgress], None], *, once: bool) -> None:
    from tamis.kafka.follower import KafkaStateSource
    from tamis.records.topics import Topic
    from tamis.services.replica import ReplicaPolicy, open_replica

    settings = session.settings
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    source = KafkaStateSource(settings.kafka, settings.topic(Topic.CONSENT_STATE))
    policy = ReplicaPolicy(max_bytes=settings.consent.replica_max_bytes)
    replica = await open_replica(source, Path(settings.replica_path()), policy, on_progress)
    ending = asyncio.create_task(_after(replica.caught_up, stop)) if once else None
    try:
        await replica.follow(stop)
    finally:
        if ending is not None:
            ending.cancel()
        await replica.close()


async def _after(event: asyncio.Event, stop: asyncio.Event) -> None:
    await event.wait()
    stop.set()
