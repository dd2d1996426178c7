"""``tamis replica``: keep this host's copy of the consent records up to date."""

import asyncio
import signal
from pathlib import Path

import click

from tamis.cli.session import Session, pass_session


@click.command()
@click.option("--once", is_flag=True, help="End when it has caught up, instead of following for ever.")
@pass_session
def command(session: Session, *, once: bool) -> None:
    """Follow consent.state into the replica that this host's workers read; one per host.

    It resumes where it ended; a damaged file, or one of another topic, is moved aside and built anew. SIGTERM ends it
    cleanly.
    """
    asyncio.run(_run(session, once=once))


async def _run(session: Session, *, once: bool) -> None:
    from tamis.kafka.follower import KafkaStateSource
    from tamis.records.topics import Topic
    from tamis.services.replica import ReplicaPolicy, open_replica

    settings = session.settings
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    source = KafkaStateSource(settings.kafka, settings.topic(Topic.CONSENT_STATE))
    policy = ReplicaPolicy(max_bytes=settings.consent.replica_max_bytes)
    replica = await open_replica(source, Path(settings.replica_path()), policy)
    try:
        if once:
            ending = asyncio.create_task(_after(replica.caught_up, stop))
            await replica.follow(stop)
            ending.cancel()
        else:
            await replica.follow(stop)
    finally:
        await replica.close()


async def _after(event: asyncio.Event, stop: asyncio.Event) -> None:
    await event.wait()
    stop.set()
