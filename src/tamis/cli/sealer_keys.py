"""``tamis keys sealer``: the keys that sign checkpoints, one a year, overlapping.

Rules: a running sealer takes a change of the file up at its next seal and writes it into ``audit.control``; auditors
need the vkeys printed here, on a way of their own.
"""

import time
from pathlib import Path

import click
import orjson

from tamis.cli.session import Session, pass_session


def _now() -> int:
    return time.time_ns() // 1_000_000


def _year(now_ms: int) -> str:
    return time.strftime("%Y", time.gmtime(now_ms // 1_000))


@click.group(name="sealer")
def command() -> None:
    """Keys that sign checkpoints: make, rotate, list, revoke."""


@command.command()
@pass_session
def init(session: Session) -> None:
    """Make the file of sealing keys (mode 0600) with one key, valid for a year."""
    from tamis.keys.sealer import SealingKeys, new_entry, write_sealing_keys

    path = Path(session.settings.sealer_keys_path())
    write_sealing_keys(path, SealingKeys((new_entry(_year(_now()), _now()),)), new=True)
    click.echo(f"{path}: made")
    _print(session)


@command.command()
@click.option("--overlap-days", type=click.FloatRange(0, 366), default=30.0, show_default=True,
              help="How long the old key still signs beside the new one.")  # fmt: skip
@pass_session
def rotate(session: Session, overlap_days: float) -> None:
    """Add a key, valid for a year; old and new sign together for the overlap."""
    from tamis.keys.sealer import read_sealing_keys, write_sealing_keys

    path = Path(session.settings.sealer_keys_path())
    keys = read_sealing_keys(path).rotated(_year(_now()), _now(), round(overlap_days * 86_400_000))
    write_sealing_keys(path, keys)
    click.echo(f"{path}: key {keys.entries[-1].epoch} added; give its vkey to the auditors")
    _print(session)


@command.command()
@click.argument("epoch")
@pass_session
def revoke(session: Session, epoch: str) -> None:
    """Stop signing with a key at once; add a new one first, or nothing is sealed."""
    from tamis.keys.sealer import read_sealing_keys, write_sealing_keys

    path = Path(session.settings.sealer_keys_path())
    keys = read_sealing_keys(path).revoked(epoch, _now())
    keys.active(_now())
    write_sealing_keys(path, keys)
    click.echo(f"{path}: key {epoch} revoked; its signatures count where they were anchored before")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@pass_session
def list_keys(session: Session, as_json: bool) -> None:
    """The sealing keys: epoch, validity, vkey."""
    from tamis.domain.audit.note import KeyKind, VerifierKey
    from tamis.keys.sealer import read_sealing_keys

    if not as_json:
        _print(session)
        return
    base = session.settings.audit.origin
    rows = [
        {
            "epoch": key.epoch, "not_before": key.not_before, "not_after": key.not_after, "revoked_at": key.revoked_at,
            "vkey": str(VerifierKey(base, KeyKind.ED25519, key.public)),
        }
        for key in read_sealing_keys(Path(session.settings.sealer_keys_path())).entries
    ]  # fmt: skip
    click.echo(orjson.dumps(rows))


def _print(session: Session) -> None:
    from tamis.domain.audit.note import KeyKind, VerifierKey
    from tamis.keys.sealer import read_sealing_keys

    for key in read_sealing_keys(Path(session.settings.sealer_keys_path())).entries:
        span = [time.strftime("%Y-%m-%d", time.gmtime(at // 1_000)) for at in (key.not_before, key.not_after)]
        state = "revoked" if key.revoked_at else f"{span[0]} to {span[1]}"
        click.echo(f"{key.epoch}  {state}  {VerifierKey(session.settings.audit.origin, KeyKind.ED25519, key.public)}")
