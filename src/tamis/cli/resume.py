"""``tamis resume``: lets intake go on that was paused because too much was refused.

Rules: nothing is skipped: what waits is decided, and refused again if it is still wrong; minutes up to now count no
more towards the limit. Exit codes: 0 it goes on, 1 it was not paused (with ``--status``: it is paused), 2 wrong usage
or configuration, 75 the cluster is out of reach.
"""

import time
from typing import Any

import click

from tamis.cli.moments import utc
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.records.topics import Topic

_MINUTE_MS = 60_000


@click.command("resume")
@click.option("--status", "only_tell", is_flag=True, help="Only tell whether intake is paused; exit code 1 if it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def command(session: Session, only_tell: bool, as_json: bool) -> int:
    """Let intake go on after it was paused because too much was refused.

    First see what is refused and by whom: tamis quarantine summary --by producer. Until the cause is mended intake will
    pause again once the limit (section quarantine of the settings) is passed anew.
    """
    from tamis.kafka.loading import Loader, Outgoing
    from tamis.kafka.reader import read_topic
    from tamis.records.pauses import RESUMED, PauseState, Resumed, encode_pause

    settings, state = session.settings, PauseState()
    topic = settings.topic(Topic.INTAKE_CONTROL)
    for record in read_topic(settings.kafka, topic):
        state.apply(record.key, record.value)
    pause = state.active
    if pause is not None and not only_tell:
        now = time.time_ns() // 1_000_000
        live = now // _MINUTE_MS if settings.worker.time_source == "broker" else 0
        covers = max(pause.minute + settings.quarantine.window_minutes, live)
        with Loader(settings.kafka, linger_ms=0) as loader:
            loader.load(topic, [Outgoing(0, RESUMED, encode_pause(Resumed(minute=covers, at=now)))])
    _tell(pause, resumed=pause is not None and not only_tell, as_json=as_json)
    return FOUND_SOMETHING if (pause is None) != only_tell else 0


def _tell(pause: Any, *, resumed: bool, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"paused": pause, "resumed": resumed}).decode())
    elif pause is None:
        click.echo("intake is not paused")
    else:
        share = pause.refused / pause.events
        since = utc((pause.minute + 1) * _MINUTE_MS)
        click.echo(f"paused at {since} UTC: {pause.refused:,} of {pause.events:,} events were refused ({share:.0%})")
        if resumed:
            click.echo("intake goes on")
