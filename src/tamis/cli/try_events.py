"""``tamis try``: dry-run events against a configuration and consent, one explained outcome a line.

Rules: the engine is the workers' own; nothing is sent or stored; consent applies before the events. Exit code 0 when
every event could be read, 1 when some are invalid, 2 for a configuration that cannot be used.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle, Hold
from tamis.services.dry_run import DryRun, Explained
from tamis.settings import SetupError

_FILE: Any = click.File("rb")


@click.command("try")
@click.argument("events", type=_FILE)
@click.option(
    "--config", "folder", default="config/reference", show_default=True, help="Configuration folder.",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--consent", type=_FILE, help="Consent payloads, one JSON object a line.")
@click.option("--now", type=int, help="Time of receipt, ms since the epoch; default: the clock.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(events: BinaryIO, folder: Path, consent: BinaryIO | None, now: int | None, as_json: bool) -> None:
    """Show what would become of EVENTS (a file of request bodies, one a line; - for standard input)."""
    bundle = load_bundle(folder)
    if isinstance(bundle, list):
        raise SetupError("\n".join([f"{folder} cannot be used:", *(f"  {problem}" for problem in bundle)]))
    run = DryRun(bundle, int(time.time() * 1000) if now is None else now)
    for problem in run.consent(_lines(consent) if consent else ()):
        click.echo(f"consent {problem}", err=True)
    invalid = held = 0
    for found in run.events(_lines(events)):
        invalid += found.outcome == "invalid"
        held += found.outcome == "held"
        click.echo(msgspec.json.encode(found).decode() if as_json else _text(found))
    if held and not as_json:
        click.echo(_held(held, bundle), err=True)
    sys.exit(1 if invalid else 0)


def _held(events: int, bundle: Bundle) -> str:
    """What being held means under this policy."""
    hold = bundle.policy.hold or Hold()
    return (
        f"held: {events}; decided again after {hold.first_ms / 1000:g} s and, if still nothing is known, for good "
        f"{hold.last_ms / 1000:g} s later: released where a yes was in force when it happened, else denied"
    )


def _lines(file: BinaryIO) -> Iterable[bytes]:
    return (line for line in (raw.strip() for raw in file) if line)


def _text(found: Explained) -> str:
    where = f"{found.line}.{found.index}" if found.index else str(found.line)
    said = "".join(f"\n{'':>7}{each.severity}: {each.kind} at {each.path}" for each in found.violations)
    if found.outcome == "invalid":
        rule = f" (rule {found.rule})" if found.rule else ""
        return f"{where:>5}  invalid   {found.reason} at {found.path}{rule}{said}"
    said += f"\n{'':>7}made by software: {found.bot}" if found.bot else ""
    verdicts = ", ".join(f"{name}: {_verdict(name, reason, found)}" for name, reason in found.destinations.items())
    return f"{where:>5}  {found.outcome:<9} {found.rule or 'unplanned':<24} {verdicts or found.reason}{said}"


def _verdict(name: str, reason: str, found: Explained) -> str:
    if name not in found.fields:
        return reason
    return f"sent ({', '.join(found.fields[name]) or 'no fields'})"
