"""``tamis demo``: the main job on the embedded broker, with nothing installed, watched live."""

import asyncio
import sys
import time
from pathlib import Path

import click
import msgspec

from tamis.cli.session import FOUND_SOMETHING


@click.command("demo")
@click.option("--events", default=30_000, show_default=True, help="How many events.")
@click.option("--seconds", default=50.0, show_default=True, help="How long the traffic should take, at least.")
@click.option("--no-fault", is_flag=True, help="A healthy run: no rule's tagging breaks.")
@click.option("--seed", default=7, show_default=True, help="Other visitors, other traffic.")
@click.option(
    "--out", "folder", type=click.Path(file_okay=False, path_type=Path),
    help="Where outputs go; default: out/demo-<time>.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Plain lines, and the last one is a JSON summary.")
def command(events: int, seconds: float, no_fault: bool, seed: int, folder: Path | None, as_json: bool) -> int:
    """Run everything for about a minute on a broker inside this process.

    Visitors of a shop and a law firm's site, their consent, duplicates and malformed records; midway the tagging of one
    rule breaks and is repaired. A sealer signs the audit log, which is verified at the end. Ctrl-C ends it early, in
    order.
    """
    from rich.console import Console

    from tamis.demo.producer import DemoOptions
    from tamis.demo.run import Demo
    from tamis.demo.watchers import LiveWatcher, PlainWatcher
    from tamis.settings import TelemetrySettings
    from tamis.telemetry.logs import configure_logs

    folder = folder or Path("out") / time.strftime("demo-%Y%m%d-%H%M%S")
    options = DemoOptions(events=events, seconds=seconds, fault=not no_fault, seed=seed, folder=folder)
    live = sys.stdout.isatty() and not as_json
    with LiveWatcher(Console()) if live else PlainWatcher(click.echo) as watcher:
        configure_logs(TelemetrySettings(log_level="warning"))  # inside: the live view redirects standard error
        summary = asyncio.run(Demo(options, watcher).run())
    click.echo("\n".join(_closing(folder, summary.audit_verified, summary.balanced())))
    if as_json:
        click.echo(msgspec.json.encode(summary).decode())
    return 0 if summary.audit_verified and summary.balanced() else FOUND_SOMETHING


def _closing(folder: Path, verified: bool, balanced: bool) -> list[str]:
    from tamis.demo.run import AUDIT_FOLDER, VKEY_FILE

    program = sys.argv[0] if Path(sys.argv[0]).name == "tamis" else "tamis"
    audit = folder / AUDIT_FOLDER
    log, ledger = "sealed and verified" if verified else "NOT VERIFIED", "=" if balanced else "DIFFER FROM"
    return [
        "",
        f"audit log {log}; events in {ledger} the sum of the outcomes",
        f"outputs in {folder}:",
        "  events.clean.jsonl      what analysts get: pseudonyms, no raw identity",
        "  crm.hubspot.jsonl       what one CRM gets; compare its ids with crm.marketo.jsonl",
        "  events.quarantine.jsonl why events were refused, the originals sealed",
        "  alerts.jsonl            the incident, opened and closed",
        "  audit/                  one leaf an event, under signed checkpoints; check it and ask for a decision:",
        f"    {program} audit verify {audit} --vkey {folder / VKEY_FILE}",
        f"    {program} explain {audit} --position events.raw/0/17/0",
    ]
