"""``tamis check``: everything that is wrong with a configuration folder, at once, with file and line.

Rules: exit code 0 when the folder makes a bundle (warnings are shown), 1 when it does not (with ``--strict`` also for
warnings), 2 when there is no such folder. Errors go to standard output too: they are the answer.
"""

from pathlib import Path
from typing import Any

import click
import msgspec

from tamis.bundles.describe import describe
from tamis.bundles.load import Checked, check_folder
from tamis.bundles.problem import Problem, Severity
from tamis.cli.session import FOUND_SOMETHING, Session
from tamis.domain.bundle import Bundle, Destination
from tamis.domain.rules import Rule

STAGES = ("awareness", "consideration", "intent", "purchase", "retention")


@click.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--describe", "in_words", is_flag=True, help="What each destination receives, as a Markdown page.")
@click.option("--strict", is_flag=True, help="Warnings make the exit code 1 too.")
@click.pass_context
def command(ctx: click.Context, folder: Path | None, as_json: bool, in_words: bool, strict: bool) -> None:
    """Check the configuration in FOLDER (default: the one in the settings): rules, destinations and policy."""
    place = folder if folder is not None else Path(ctx.ensure_object(Session).settings.rules.folder)
    if not place.is_dir():
        raise click.UsageError(f"there is no folder {place}")
    if as_json and in_words:
        raise click.UsageError("--json and --describe exclude each other")
    checked = check_folder(place)
    if in_words and checked.bundle is not None:
        click.echo(describe(checked.bundle), nl=False)
    else:
        click.echo(_json(checked) if as_json else _text(place, checked))
    ctx.exit(FOUND_SOMETHING if checked.bundle is None or (strict and checked.problems) else 0)


def _json(checked: Checked) -> str:
    found: dict[str, Any] = {
        "valid": checked.bundle is not None,
        "hash": checked.bundle.hash if checked.bundle else None,
        "problems": [msgspec.to_builtins(problem) for problem in checked.problems],
    }
    if checked.bundle:
        found["rules"] = [msgspec.to_builtins(compiled.rule) for compiled in checked.bundle.rules.rules]
        found["destinations"] = [_facts(destination) for destination in checked.bundle.destinations]
    return msgspec.json.encode(found).decode()


def _facts(destination: Destination) -> dict[str, Any]:
    return {
        "id": destination.id,
        "topic": destination.topic,
        "purposes": list(destination.purposes),
        "accepts": destination.accepts,
        "fields": list(destination.field_names),
    }


def _text(folder: Path, checked: Checked) -> str:
    lines = [_line(folder, problem) for problem in checked.problems]
    if checked.bundle is not None:
        return "\n".join([*lines, *_summary(checked.bundle, len(lines))])
    wrong = sum(problem.severity is Severity.ERROR for problem in checked.problems)
    return "\n".join([*lines, "", f"{wrong} errors, {len(lines) - wrong} warnings: this configuration is not used"])


def _line(folder: Path, problem: Problem) -> str:
    return str(msgspec.structs.replace(problem, file=str(folder / problem.file)))


def _summary(bundle: Bundle, warnings: int) -> list[str]:
    rules = [compiled.rule for compiled in bundle.rules.rules]
    lines = [f"bundle {bundle.hash}: {len(rules)} rules, {len(bundle.destinations)} destinations, {warnings} warnings"]
    lines += ["", "rules by stage"]
    for stage in STAGES:
        lines += [_rule(rule) for rule in rules if rule.stage == stage]
    lines += ["", "destinations"]
    for destination in bundle.destinations:
        purposes = ", ".join(destination.purposes)
        lines.append(f"  {destination.id:<12} {destination.topic:<16} {destination.accepts:<7} needs {purposes}")
        lines.append(f"  {'':<12} receives {', '.join(destination.field_names) or 'no fields'}")
    return lines


def _rule(rule: Rule) -> str:
    mode = "" if rule.mode == "active" else f"  ({rule.mode})"
    to = ", ".join(rule.destinations)
    by = f"by {rule.expected_by}" if rule.expected_by else "any time"
    return (
        f"  {rule.stage:<14} {rule.id:<24} v{rule.version:<4} {rule.owner:<14} {by:<9} sla {rule.sla:<5} -> {to}{mode}"
    )
