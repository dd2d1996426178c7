"""``tamis worker``: one worker process; what it does is in ``tamis.worker``."""

import click

from tamis.cli.session import Session, pass_session

ROLES = ("intake", "consent", "release", "metrics", "anomaly")
ALL = "all"


@click.command(name="worker")
@click.option(
    "--role",
    "roles",
    type=click.Choice([*ROLES, ALL]),
    multiple=True,
    default=(ALL,),
    show_default=True,
    help="What this process does; may be given several times.",
)
@pass_session
def command(session: Session, roles: tuple[str, ...]) -> int:
    """Run one worker: intake, consent, release, metrics, anomaly, or all of them."""
    from tamis.telemetry.logs import configure_logs
    from tamis.worker import run_worker

    configure_logs(session.settings.telemetry)
    return run_worker(session.settings, frozenset(ROLES if ALL in roles else roles))
