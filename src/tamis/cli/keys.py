"""``tamis keys``: make a key file, list what is there, and the sealing keys; material is never shown."""

import time
from pathlib import Path

import click
import orjson

from tamis.cli.sealer_keys import command as sealer_keys
from tamis.cli.session import Session, pass_session
from tamis.keys.file import create_key_file
from tamis.keys.provider import open_keys
from tamis.settings import SetupError


@click.group(name="keys")
def command() -> None:
    """Root keys and sealing keys: make, list, rotate; material is never shown."""


@command.command()
@click.option("--file", "path", metavar="PATH", help="Where to put it; else keys.file of the settings.")
@pass_session
def init(session: Session, path: str | None) -> None:
    """Make a key file (mode 0600) with one random root key; an existing file is left alone."""
    target = Path(path or session.settings.keys_path())
    ring = create_key_file(target, now_ms=time.time_ns() // 1_000_000)
    click.echo(f"{target}: key {ring.roots[0].id}, epoch {ring.epochs().current}")
    click.echo(
        "Keep a copy in a safe place: without it no pseudonym can be made again and no quarantined event opened."
    )


@command.command()
@click.option("--overlap-days", type=click.FloatRange(0, 366), default=30.0, show_default=True,
              help="How long records also name the pseudonym of the epoch before.")  # fmt: skip
@click.option("--incident", is_flag=True, help="Keys may be known to somebody: no overlap, older epochs are revoked.")
@click.option("--file", "path", metavar="PATH", help="The key file; else keys.file of the settings.")
@pass_session
def rotate(session: Session, overlap_days: float, incident: bool, path: str | None) -> None:
    """Begin a new epoch of pseudonyms. Running workers take it up within seconds, without a restart.

    Keys handed out as an environment variable: run this on the file they are made from, and restart the workers.
    """
    from tamis.keys.rotation import DAY_MS, rotate_key_file

    if session.settings.keys.provider == "environment" and not path:
        raise SetupError("keys.provider is environment: name the file that the variable is made from with --file")
    target = Path(path or session.settings.keys_path())
    now = time.time_ns() // 1_000_000
    ring = rotate_key_file(target, now_ms=now, overlap_ms=round(overlap_days * DAY_MS), incident=incident)
    epochs = ring.epochs()
    click.echo(f"{target}: key {ring.roots[-1].id}, epoch {epochs.current}")
    if incident:
        click.echo("All older epochs are revoked. Destinations cannot carry records over: tell them to begin anew.")
    elif epochs.previous:
        click.echo(f"Until {_day(epochs.overlap_until)} records also name the pseudonym of epoch {epochs.previous}.")
    click.echo("Keep a copy in a safe place, on every host that runs a part of tamis the same one.")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@pass_session
def list_keys(session: Session, as_json: bool) -> None:
    """The root keys: id, epoch, time of making, and what each is still good for; the last is the current one."""
    ring, now = open_keys(session.settings), time.time_ns() // 1_000_000
    if as_json:
        rows = [
            {
                "id": root.id, "epoch": root.epoch, "created_at": root.created_at, "state": ring.state(root, now),
                "overlap_until": root.overlap_until, "revoked_at": root.revoked_at,
            }
            for root in ring.roots
        ]  # fmt: skip
        click.echo(orjson.dumps(rows))
        return
    for root in ring.roots:
        state = ring.state(root, now)
        until = {"overlapping": f" until {_day(root.overlap_until)}", "revoked": f" on {_day(root.revoked_at)}"}
        click.echo(f"{root.id}  epoch {root.epoch}  made {_day(root.created_at)}  {state}{until.get(state, '')}")


def _day(ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(ms // 1_000))


@command.command()
@pass_session
def enrolment(session: Session) -> None:
    """The public key of requests to the sealer, for sealer.enrolment_key on a host without the root key."""
    from base64 import b64encode

    from tamis.domain.audit.requests import ENROLMENT_LABEL, enrolment_key

    key = enrolment_key(open_keys(session.settings).derive(ENROLMENT_LABEL))
    click.echo(b64encode(key.public_key().public_bytes_raw()).decode())


command.add_command(sealer_keys)
