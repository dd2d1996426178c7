"""``tamis sealer``: sign checkpoints of the audit logs, export them as tiles, sequence ``audit.control``.

Exit codes: 0 after SIGTERM, 2 wrong configuration, 75 the cluster is out of reach, 70 a fault.
"""

from __future__ import annotations

import fcntl
import os
import signal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamis.cli.session import Session, pass_session

if TYPE_CHECKING:
    from typing import BinaryIO


@click.command()
@pass_session
def command(session: Session) -> None:
    """Follow the audit logs and sign what is committed; one sealer an installation.

    A second one on the same folder stands by until the first ends. Its folder holds the export, which any
    tlog-tiles client can read, and in state/ what it must never forget.
    """
    from tamis.services.sealer import Sealer
    from tamis.services.sealer_outside import Outside
    from tamis.services.sealer_setup import sealer_parts
    from tamis.stores.sealer_store import SealConflictError
    from tamis.telemetry.logs import configure_logs
    from tamis.telemetry.metrics import Telemetry, vocabulary

    settings = session.settings
    configure_logs(settings.telemetry)
    telemetry = Telemetry(vocabulary(version("tamis"), "sealer"), settings.topics.prefix)
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: stopped.append(signum))
    parts, outside = sealer_parts(settings), Outside(settings.sealer)
    with _alone(Path(settings.sealer_path()), stopped) as mine:
        if mine.closed:
            return
        telemetry.serve(settings.telemetry)
        sealer = Sealer(parts.config, parts.keys, parts.source(), parts.publisher(), telemetry.sealer)
        try:
            outside.follow(sealer, telemetry.outside)
            sealer.start()
            sealer.run(lambda: bool(stopped))
        except SealConflictError as conflict:
            raise click.ClickException(str(conflict)) from None
        finally:
            outside.stop()
            sealer.close()
            telemetry.stop()


def _alone(folder: Path, stopped: list[int]) -> BinaryIO:
    """The folder's lock, once no other sealer holds it; closed when asked to stop before that."""
    import time

    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / ".lock").open("wb")
    said = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not said:
                click.echo(f"another sealer works in {folder}; standing by", err=True)
                said = True
            if stopped:
                lock.close()
                return lock
            time.sleep(0.5)
        else:
            lock.write(str(os.getpid()).encode())
            return lock
