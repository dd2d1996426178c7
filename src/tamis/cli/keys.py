"""``tamis keys``: make a key file, list what is there, and the sealing keys; material is never shown."""

import time
from pathlib import Path

import click
import orjson

from tamis.cli.sealer_keys import command as sealer_keys
from tamis.cli.session import Session, pass_session
from tamis.keys.file import create_key_file
from tamis.keys.provider import open_keys


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
    click.echo(f"{target}: key {ring.roots[0].id}, epoch {ring.epoch()}")
    click.echo(
        "Keep a copy in a safe place: without it no pseudonym can be made again and no quarantined event opened."
    )


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@pass_session
def list_keys(session: Session, as_json: bool) -> None:
    """The root keys: id, epoch, time of making; the last is the current one."""
    ring = open_keys(session.settings)
    if as_json:
        rows = [{"id": root.id, "epoch": root.epoch, "created_at": root.created_at} for root in ring.roots]
        click.echo(orjson.dumps(rows))
        return
    for root in ring.roots:
        made = time.strftime("%Y-%m-%d", time.gmtime(root.created_at // 1_000))
        click.echo(f"{root.id}  epoch {root.epoch}  made {made}{'  current' if root.epoch == ring.epoch() else ''}")


@command.command()
@pass_session
def enrolment(session: Session) -> None:
    """The public key of requests to the sealer, for sealer.enrolment_key on a host without the root key."""
    from base64 import b64encode

    from tamis.domain.audit.requests import ENROLMENT_LABEL, enrolment_key

    key = enrolment_key(open_keys(session.settings).derive(ENROLMENT_LABEL))
    click.echo(b64encode(key.public_key().public_bytes_raw()).decode())


command.add_command(sealer_keys)
