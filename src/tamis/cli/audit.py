"""``tamis audit``: take the audit log out of Kafka, and check it, from the folder alone or straight from the topic.

Exit codes: 0 every log passed, 1 a check failed, 2 wrong usage or configuration.
"""

import sys
from pathlib import Path
from typing import Any

import click

from tamis.cli.audit_evidence import verify_bundle
from tamis.cli.audit_prove import prove
from tamis.cli.audit_requests import epoch, worker_key
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.domain.audit.report import LogReport


@click.group(name="audit")
def command() -> None:
    """Export and verify the audit log, and prove single decisions."""


command.add_command(prove)
command.add_command(verify_bundle)


command.add_command(epoch)
command.add_command(worker_key)


@command.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="New folder for the export.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
@pass_session
def export(session: Session, folder: Path, as_json: bool) -> None:
    """Copy the committed audit log into a folder that needs no Kafka."""
    from tamis.services.audit_check import export_records

    records, topic = _topic(session)
    manifest = export_records(records, folder, topic, _progress)
    if as_json:
        _print_json(manifest)
        return
    for partition, entry in manifest.logs.items():
        click.echo(f"partition {partition}: {entry.leaves:,} leaves, {entry.records - entry.leaves:,} heads")
    click.echo(f"written to {folder}; check it with: tamis audit verify {folder}")


@command.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--partial", is_flag=True, help="Accept logs whose beginning is gone (retention).")
@click.option("--at-least-once", is_flag=True, help="Count repeated source offsets instead of refusing them.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@pass_session
@click.pass_context
def verify(
    context: click.Context, session: Session, folder: Path | None, partial: bool, at_least_once: bool, as_json: bool
) -> None:
    """Check the exported log in FOLDER, or the topic itself when no folder is given."""
    from tamis.services.audit_check import CheckPolicy, verify_export, verify_records

    policy = CheckPolicy(at_least_once=at_least_once, partial=partial)
    if folder is None:
        reports = verify_records(_topic(session)[0], policy, _progress)
    else:
        reports = verify_export(folder, policy, _progress)
    passed = all(report.ok for report in reports)
    if as_json:
        _print_json({"verified": passed, "leaves": sum(report.leaves for report in reports), "logs": reports})
    else:
        _print_text(reports)
    context.exit(0 if passed else FOUND_SOMETHING)


def _topic(session: Session) -> tuple[Any, str]:
    """The committed records of the audit topic, and its full name."""
    from tamis.kafka.reader import read_topic
    from tamis.records.topics import Topic

    settings = session.settings
    topic = settings.topics.prefix + Topic.AUDIT_LOG
    return read_topic(settings.kafka, topic), topic


def _print_text(reports: list[LogReport]) -> None:
    for report in reports:
        for line in described(report):
            click.echo(line)
    failed = [report for report in reports if not report.ok]
    leaves = sum(report.leaves for report in reports)
    if failed:
        places = ", ".join(
            f"partition {report.partition} ({report.failure.check})" for report in failed if report.failure
        )
        click.echo(f"NOT VERIFIED: {len(failed)} of {len(reports)} logs fail: {places}")
    elif reports:
        click.echo(f"verified: {len(reports)} logs, {leaves:,} leaves, every check passed")
    else:
        click.echo("there are no audit records: nothing to verify")


def described(report: LogReport) -> list[str]:
    """One log's report as lines of text."""
    outcomes = ", ".join(f"{n:,} {name}" for name, n in report.outcomes.items()) or "none"
    lines = [
        f"partition {report.partition} ({report.log or 'empty'}): {'ok' if report.ok else 'FAILED'}",
        f"  leaves {report.leaves:,} ({outcomes}), heads {report.heads:,}",
        f"  source offsets {report.first:,} to {report.next:,}, root {report.root or '-'}",
    ]
    if report.begins or report.verified < report.leaves:
        lines.append(f"  begins at leaf {report.begins:,}; {report.verified:,} leaves verified under a head")
    if report.lost:
        lines.append(f"  {report.lost:,} source offsets are declared lost: deleted before they were read")
    if report.repeats or report.tail:
        lines.append(f"  {report.repeats:,} leaves for offsets already covered, {report.tail:,} behind the last head")
    failure = report.failure
    if failure is not None:
        leaves = f"leaf {failure.leaf:,}"
        if failure.until > failure.leaf + 1:
            leaves = f"leaves {failure.leaf:,} to {failure.until - 1:,}"
        lines.append(
            f"  first failure: check '{failure.check}' at {leaves} (record {failure.record:,}): {failure.detail}"
        )
    return lines


def _print_json(value: Any) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value).decode())


def _progress(records: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"{records:,} records", err=True)
