"""``tamis run``: the replica and the workers of this host under one supervisor.

Rules: settings are checked before anything starts; exit 0 after SIGTERM or SIGINT, 2 when a process refuses its
configuration, 70 when one crashes again and again.
"""

import sys

import click

from tamis.cli.session import Session, pass_session
from tamis.services.scrape_targets import write_scrape_targets
from tamis.services.supervisor import Supervisor, host_processes, restart_policy


class GivenUp(click.ClickException):
    """The supervisor gave up; the exit code says why."""

    def __init__(self, reason: str, exit_code: int) -> None:
        super().__init__(reason)
        self.exit_code = exit_code


@click.command(name="run")
@click.option("--workers", type=click.IntRange(1, 256), help="How many; else worker.processes of the settings.")
@pass_session
def command(session: Session, workers: int | None) -> None:
    """Run the replica and the workers of this host; restart what ends, drain on SIGTERM."""
    settings = session.settings
    processes = host_processes(settings, workers or settings.worker.processes, session.settings_file)
    write_scrape_targets(settings, processes)
    supervisor = Supervisor(
        processes,
        restart_policy(settings),
        drain_grace_s=settings.worker.drain_grace_s,
        out=sys.stdout.buffer,
        as_json=settings.telemetry.log_format == "json",
    )
    if gave_up := supervisor.run():
        raise GivenUp(gave_up.reason, gave_up.exit_code)
