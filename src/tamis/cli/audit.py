"""``tamis audit``: take the audit log out of Kafka, and check it, from the folder alone or straight from the topic.

Exit codes: 0 every log passed, 1 a check failed, 2 wrong usage or configuration.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.audit_anchors import anchor_lines, checked_anchors
from tamis.cli.audit_evidence import verify_bundle
from tamis.cli.audit_prove import prove
from tamis.cli.audit_requests import epoch, worker_key
from tamis.cli.printable import printable
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.domain.audit.report import LogReport

if TYPE_CHECKING:
    from tamis.domain.audit.note import VerifierKey
    from tamis.services.audit_check import Ends

_PEM: Any = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    from tamis.services.audit_check import export_records, log_folders

    held = {}
    for log, place in log_folders(folder).items():
        held[log] = export_records(*_topic(session, log, place), _progress)
    manifest = held.pop(next(iter(held)))
    sealed = _add_sealed(session, folder)
    rules = _add_rules(session, folder)
    if as_json:
        _print_json(manifest)
        return
    for partition, entry in manifest.logs.items():
        click.echo(f"partition {partition}: {entry.leaves:,} leaves, {entry.records - entry.leaves:,} heads")
    for log, other in held.items():
        click.echo(f"{log}: {sum(entry.leaves for entry in other.logs.values()):,} leaves")
    for origin, size in sealed.items():
        click.echo(f"sealed {origin}: {size:,} leaves")
    if rules:
        click.echo(f"rules that leaves may cite: {', '.join(rules)}")
    click.echo(f"written to {folder}; check it with: tamis audit verify {folder}")


def _add_rules(session: Session, folder: Path) -> list[str]:
    """The published rules and policies, so that verdicts can be re-evaluated; their hashes."""
    from tamis.kafka.reader import read_topic
    from tamis.records.topics import Topic
    from tamis.services.cited_rules import keep_rules, published_sources
    from tamis.settings import SetupError

    settings = session.settings
    try:
        return keep_rules(folder, published_sources(read_topic(settings.kafka, settings.topic(Topic.RULES))))
    except SetupError as error:
        click.echo(f"no rules: {error}", err=True)
        return []


def _add_sealed(session: Session, folder: Path) -> dict[str, int]:
    """Tiles and checkpoints of what was sealed, beside the records; origin -> sealed size."""
    from tamis.domain.audit.origin import LogOrigin
    from tamis.kafka.reader import read_topic
    from tamis.records.topics import Topic
    from tamis.services.audit_check import log_folders
    from tamis.services.audit_requests import control_leaves
    from tamis.services.sealed_export import add_control, add_sealed, checkpoints_of
    from tamis.settings import SetupError
    from tamis.stores.audit_export import read_export

    settings = session.settings
    try:
        notes = checkpoints_of(read_topic(settings.kafka, settings.topic(Topic.AUDIT_CHECKPOINTS)))
        leaves = control_leaves(settings)
    except SetupError as error:
        click.echo(f"no sealed logs: {error}", err=True)
        return {}
    control = str(LogOrigin(settings.audit.origin, Topic.AUDIT_CONTROL.value, 0))
    sealed = {control: add_control(folder, control, leaves, notes)} if leaves else {}
    for place in log_folders(folder).values():
        for log in read_export(place)[1]:
            sealed |= add_sealed(folder, log, notes)
    return {origin: size for origin, size in sealed.items() if size}


@command.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--vkey", "vkeys", multiple=True, help="Public key of the logs, or a file with such lines; repeatable.")
@click.option(
    "--anchors", type=_PEM, multiple=True, help="Check anchors too, under this TSA certificate (PEM); repeatable."
)
@click.option("--partial", is_flag=True, help="Accept logs whose beginning is gone (retention).")
@click.option("--at-least-once", is_flag=True, help="Count repeated source offsets instead of refusing them.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@pass_session
@click.pass_context
def verify(
    context: click.Context,
    session: Session,
    folder: Path | None,
    vkeys: tuple[str, ...],
    anchors: tuple[Path, ...],
    partial: bool,
    at_least_once: bool,
    as_json: bool,
) -> None:
    """Check the logs in FOLDER (an export, or a sealer's), or the topic itself when no folder is given.

    With --vkey the checkpoints must be signed by that key: get it from the operators on a way of its own.
    """
    from tamis.cli.audit_places import log_keys
    from tamis.services.audit_check import CheckPolicy, verify_exports, verify_records
    from tamis.services.sealer_config import LOGS

    policy = CheckPolicy(at_least_once=at_least_once, partial=partial)
    keys = log_keys(vkeys)
    if folder is None:
        if anchors:
            raise click.UsageError("--anchors: anchors are in a folder of sealed logs, name one")
        if keys:
            raise click.UsageError("--vkey: checkpoints are checked in a folder, see: tamis audit export")
        places = {log: _topic(session, log, Path())[0] for log in LOGS}
        reports = [each for log, read in places.items() for each in verify_records(read, policy.of(log), _progress)]
    else:
        reports = _sealed(folder, keys, at_least_once=at_least_once)
        if _has_records(folder, bool(keys)):
            reports = verify_exports(folder, policy, _progress, _ends(folder, bool(keys))) + reports
    anchored = checked_anchors(folder, keys, anchors) if anchors and folder else None
    passed = all(report.ok for report in reports) and (anchored is None or anchored.ok)
    if as_json:
        found = {"verified": passed, "leaves": _leaves_once(reports), "logs": reports}
        _print_json(found if anchored is None else found | {"anchors": anchored})
    else:
        for line in anchor_lines(anchored) if anchored else ():
            click.echo(line)
        _print_text(reports)
    context.exit(0 if passed else FOUND_SOMETHING)


def _has_records(folder: Path, must_be_sealed: bool) -> bool:
    """Whether a folder is (also) an export of records; one that is neither is told so by reading it as one."""
    from tamis.stores.audit_export import MANIFEST

    return (folder / MANIFEST).exists() or not (must_be_sealed or any(folder.glob("*/p*/e*/checkpoint")))


def _ends(folder: Path, must_be_sealed: bool) -> "Ends":
    """What exported records must lead to."""
    from base64 import b64encode

    from tamis.services.audit_check import Ends
    from tamis.stores.sealed_folder import SealedFolder

    if not must_be_sealed and not any(folder.glob("*/p*/e*/checkpoint")):
        return Ends()
    logs = SealedFolder(folder).logs
    ends = {str(log.origin): (log.size, b64encode(log.checkpoint.root).decode()) for log in logs}
    return Ends(checkpoints=ends, required=must_be_sealed)


def _sealed(folder: Path, keys: "tuple[VerifierKey, ...]", *, at_least_once: bool) -> list[LogReport]:
    from tamis.services.sealed_check import verify_sealed

    if not keys and not any(folder.glob("*/p*/e*/checkpoint")):
        return []
    return verify_sealed(folder, keys, _progress, at_least_once=at_least_once)


def _topic(session: Session, log: str, place: Path) -> tuple[Any, Path, str]:
    """The committed records of a topic of logs, where they go, and its full name."""
    from tamis.kafka.reader import read_topic

    settings = session.settings
    topic = settings.topic(log)
    return read_topic(settings.kafka, topic), place, topic


def _leaves_once(reports: list[LogReport]) -> int:
    """Leaves of the logs of events as they came in; one that an export holds as records and as tiles counts once."""
    from tamis.records.topics import Topic

    others = tuple(f"/{topic.value}/" for topic in (Topic.AUDIT_CONTROL, Topic.AUDIT_HELD, Topic.AUDIT_HELD_LAST))
    counted: dict[str, int] = {}
    for report in reports:
        name = report.log or f"partition {report.partition}"
        if not any(other in name for other in others):
            counted[name] = max(counted.get(name, 0), report.leaves)
    return sum(counted.values())


def _print_text(reports: list[LogReport]) -> None:
    for report in reports:
        for line in described(report):
            click.echo(printable(line))
    failed = [report for report in reports if not report.ok]
    leaves = _leaves_once(reports)
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
    if report.sealed is not None:
        lines.append(f"  sealed: {report.sealed:,} leaves under a checkpoint signed by the key given")
        if report.heads and not report.attested:
            lines.append("  no worker's signature was checked: the control log is not in the folder")
    if report.attested or report.notices:
        lines.append(f"  {report.attested:,} heads signed by registered workers, {report.notices:,} leaves of no event")
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
