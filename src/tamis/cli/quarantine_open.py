"""``tamis quarantine show``: one original, for a stated reason, after the audit was told.

Rules: needs the root key; the look is in ``audit.requests`` before anything is decrypted; contents are masked unless
``--reveal`` asks for them. Exit codes: 0 shown, 1 it cannot be opened, 2 wrong usage or configuration.
"""

import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.session import Finding, Session, pass_session

if TYPE_CHECKING:
    from tamis.services.quarantine.entries import Stored
    from tamis.services.quarantine.opening import Original
    from tamis.settings import Settings

_REASONS = ("debug", "data-subject", "audit")
_WHY = "Goes into the audit: debug (to mend a producer), data-subject (a person asked), audit (an auditor asked)."


@click.command()
@click.argument("position")
@click.option("--why", type=click.Choice(_REASONS), required=True, help=_WHY)
@click.option("--reveal", is_flag=True, help="Print the original itself: it holds identities, do not keep it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --reveal, tamis decode --jsonl reads it.")
@pass_session
def show(session: Session, position: str, why: str, reveal: bool, as_json: bool) -> None:
    """Open the original of the event at POSITION (TOPIC/PARTITION/OFFSET[/INDEX], as list prints it).

    By default its structure is shown: keys, kinds and lengths in place of values, and what this version of tamis says
    of it now. Each look is told to the audit first (audit.requests, from there audit.control).
    """
    from tamis.domain.audit.requests import LookReason
    from tamis.services.leaf_search import parse_position
    from tamis.services.quarantine.opening import Opener, find

    settings = session.settings
    try:
        place = parse_position(position)
    except ValueError as error:
        raise click.UsageError(f"{position}: {error}") from None
    opener = Opener(settings, LookReason(why))
    wanted, holder = find(settings, place)
    opener.tell({holder.partition: [holder.offset]})
    original = opener.open(holder)
    if original is None:
        raise Finding(f"{position} cannot be opened: its key is another one, or the entry was altered")
    answer = {**_facts(wanted), **_contents(original, reveal=reveal), "now": _now(settings, wanted, original)}
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(answer).decode())
    else:
        _print(answer, original, reveal=reveal)


def _facts(stored: "Stored") -> dict[str, Any]:
    import msgspec

    entry = msgspec.to_builtins(stored.entry)
    return {"position": str(stored.position)} | {
        name: value for name, value in entry.items() if not name.startswith("sealed") and name != "key_id"
    }


def _contents(original: "Original", *, reveal: bool) -> dict[str, Any]:
    if not reveal:
        from tamis.services.quarantine.outline import outline, outline_headers

        return {"structure": outline(original.value), "headers": outline_headers(original.headers)}
    headers = {name: None if value is None else value.decode("utf-8", "replace") for name, value in original.headers}
    try:
        return {"value": original.value.decode(), "headers": headers}
    except UnicodeDecodeError:
        return {"value": b64encode(original.value).decode(), "value_encoding": "base64", "headers": headers}


def _now(settings: "Settings", stored: "Stored", original: "Original") -> list[str]:
    """What this version says of each event of the record."""
    from tamis.services.quarantine.recheck import Recheck

    return ["cut: only the beginning was kept"] if original.cut else Recheck(settings).say(stored.entry, original)


def _print(answer: dict[str, Any], original: "Original", *, reveal: bool) -> None:
    import msgspec

    for name, value in answer.items():
        if name not in {"structure", "value", "headers", "now", "value_encoding", "violations"}:
            click.echo(f"{name:12} {value}")
    for each in answer.get("violations", ()):
        click.echo(f"{'violation':12} {each['kind']} at {each['path']} ({each['severity']})")
    for name, value in answer["headers"].items():
        click.echo(f"{'header':12} {name}: {value}")
    for each in answer["now"]:
        click.echo(f"{'now':12} {each}")
    click.echo()
    if reveal:
        sys.stdout.buffer.write(original.value + b"\n")
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(answer["structure"]), indent=2).decode())
