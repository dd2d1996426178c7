"""``tamis audit epoch open`` and ``tamis audit worker-key revoke``: ask the sealer for words in ``audit.control``.

Rules: a request is signed with the enrolment key, so these commands need the root key; the sealer takes it in, and only
then workers and verifiers believe it. Exit codes: 0 asked, 2 wrong usage or configuration.
"""

import time
from collections.abc import Callable

import click

from tamis.cli.session import Session, pass_session
from tamis.domain.audit.notices import EpochReason


@click.group()
def epoch() -> None:
    """Epochs of logs: what to do when the end of an audit log is lost."""


@epoch.command(name="open")
@click.option("--partition", "partitions", type=click.IntRange(0), multiple=True, required=True,
              help="Of the log; may be given more than once.")  # fmt: skip
@click.option("--reason", type=click.Choice([each.value for each in EpochReason]), required=True,
              help="Goes into the control log.")  # fmt: skip
@click.option("--log", default="audit.log", show_default=True, help="Topic of the log, without prefix.")
@click.option("--epoch", "number", type=click.IntRange(2), help="Which; else the one after the current one.")
@pass_session
def open_epoch(session: Session, partitions: tuple[int, ...], reason: str, log: str, number: int | None) -> None:
    """Let a log go on in a new epoch whose first leaf cites the end of the old one.

    For a log that workers refuse to continue, or the sealer to seal. Stop the workers before, start them when this has
    returned. What the old epoch holds behind its last checkpoint stays unsealed: export it first. The old epoch is
    never continued.
    """
    from tamis.domain.audit.requests import EpochOpened
    from tamis.services.audit_requests import control_state, send_requests

    settings = session.settings
    if not 0 <= max(partitions) < settings.topics.raw_partitions:
        raise click.UsageError(f"--partition: the log has {settings.topics.raw_partitions} partitions")
    state = control_state(settings)
    wanted = {partition: number or state.epoch(log, partition) + 1 for partition in partitions}
    for partition, each in wanted.items():
        due = state.epoch(log, partition) + 1
        if each != due:
            raise click.UsageError(f"--epoch: the next epoch of partition {partition} is {due}")
    now, why = time.time_ns() // 1_000_000, EpochReason(reason)
    asked = [EpochOpened(at=now, epoch=each, log=log, partition=p, reason=why) for p, each in wanted.items()]
    send_requests(settings, asked)
    _until(lambda: all(control_state(settings).epoch(log, p) >= each for p, each in wanted.items()))
    for partition, each in wanted.items():
        click.echo(f"{log}, partition {partition}: epoch {each} is open; start the workers")


@click.group(name="worker-key")
def worker_key() -> None:
    """Keys of workers."""


@worker_key.command()
@click.argument("key_id")
@pass_session
def revoke(session: Session, key_id: str) -> None:
    """Refuse every batch of this worker key that is not sealed yet."""
    from tamis.domain.audit.requests import WorkerKeyRevoked
    from tamis.services.audit_requests import control_state, send_requests

    settings = session.settings
    if key_id not in control_state(settings).workers:
        raise click.UsageError("no worker key with this id is registered in audit.control")
    send_requests(settings, [WorkerKeyRevoked(at=time.time_ns() // 1_000_000, id=key_id)])
    _until(lambda: key_id in control_state(settings).revoked)
    click.echo(f"worker key {key_id} is revoked")


def _until(done: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Waits for the sealer; it may be stopped, then it takes the request in when it runs."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise click.ClickException("asked, but the sealer has not taken it in yet: does tamis sealer run?")
        time.sleep(0.3)
