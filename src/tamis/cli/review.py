"""``tamis review``: spot checks. List what waits for an answer, answer it, and see how often events are tagged wrongly.

Rules: no key is needed; samples name nobody. Exit codes: 0 done (``report``: the target is met or open), 1 the tagging
error is above the target (``list``: nothing waits), 2 wrong usage or configuration, 75 the cluster is out of reach.
"""

from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tamis.cli.moments import utc
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.settings import SetupError

if TYPE_CHECKING:
    from tamis.domain.tagging_error import Interval, Report
    from tamis.records.review import Sample

_FILE: Any = click.File("rb")
_NONE = "-"


@click.group("review")
def command() -> None:
    """Spot checks: are events tagged as they should be?"""


@command.command("list")
@click.option("--rule", multiple=True, help="Only samples tagged with this rule; - for those without one.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Print at most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_session
def list_samples(session: Session, rule: tuple[str, ...], limit: int, as_json: bool) -> int:
    """List samples that wait for an answer, the oldest first."""
    import msgspec

    from tamis.services.review import read_book

    wanted = {"" if each == _NONE else each for each in rule}
    found = (each for each in read_book(session.settings).open() if not wanted or each.rule in wanted)
    shown = list(islice(found, limit))
    for sample in shown:
        click.echo(msgspec.json.encode(sample).decode() if as_json else _line(sample))
    if not shown:
        click.echo("no sample waits for an answer", err=True)
    return 0 if shown else FOUND_SOMETHING


def _line(sample: "Sample") -> str:
    fields = "  ".join(f"{name}={value}" for name, value in sample.fields.items())
    tagged = f"{sample.rule} [{sample.stage}]" if sample.rule else "untagged"
    name = sample.name or sample.kind
    return f"{sample.id}  {utc(sample.hour)}  {tagged:32}  {sample.site:8}  {name}  {fields}".rstrip()


@command.command()
@click.argument("sample", required=False)
@click.option("--right", is_flag=True, help="It is tagged as it should be.")
@click.option("--should-be", "should_be", metavar="RULE", help="The rule it should have been tagged with; - for none.")
@click.option("--file", "lines", type=_FILE, help='Many answers, one a line: {"sample", "rule"}; - is standard input.')
@pass_session
def label(session: Session, sample: str | None, right: bool, should_be: str | None, lines: BinaryIO | None) -> None:
    """Answer a SAMPLE: is its tag right, or which one would be? The last answer counts."""
    from tamis.services.review import read_book, write_labels

    one = sample is not None and right != (should_be is not None)
    if (lines is None) != one:
        raise click.UsageError("give a SAMPLE with --right or --should-be RULE, or --file")
    book = read_book(session.settings)
    asked = _of_lines(lines) if lines is not None else {sample or "": should_be}
    rules = _known_rules(session) | {""}
    answers: dict[str, str] = {}
    for name, rule in asked.items():
        found = book.samples.get(name)
        if found is None:
            raise SetupError(f"there is no sample {name!r} (tamis review list)")
        answers[name] = found.rule if rule is None else "" if rule == _NONE else rule
        if answers[name] not in rules | {found.rule}:
            raise SetupError(f"there is no rule {answers[name]!r} in the configuration")
    write_labels(session.settings, answers)
    click.echo(f"{len(answers)} answered")


def _of_lines(lines: BinaryIO) -> dict[str, str | None]:
    import msgspec

    class Line(msgspec.Struct, forbid_unknown_fields=True):
        sample: str
        rule: str

    found: dict[str, str | None] = {}
    for number, line in enumerate(lines, 1):
        try:
            each = msgspec.json.decode(line, type=Line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise click.UsageError(f'line {number} is not {{"sample": ..., "rule": ...}}') from None
        found[each.sample] = each.rule
    return found


def _known_rules(session: Session) -> set[str]:
    from tamis.services.quarantine.recheck import active_bundle

    return {compiled.rule.id for compiled in active_bundle(session.settings).rules.rules}


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def report(session: Session, as_json: bool) -> int:
    """Show the tagging error with its 95 % interval: over all events, and by rule."""
    import msgspec

    from tamis.services.review import read_book

    found = read_book(session.settings).report(session.settings.review.target_ratio)
    if as_json:
        click.echo(msgspec.json.encode({"verdict": found.verdict, **msgspec.to_builtins(found)}).decode())
    else:
        click.echo("\n".join(_lines(found)))
    return FOUND_SOMETHING if found.verdict == "missed" else 0


_WORDS = {
    "met": "the target is met",
    "missed": "the target is missed",
    "open": "too few answers to tell whether the target is met",
}


def _lines(found: "Report") -> list[str]:
    if not found.strata:
        return ["nothing was sampled yet (section review of the settings)"]
    head = f"tagging error {_share(found.error)}, target {found.target:.1%}: {_WORDS[found.verdict]}"
    cover = f"answers cover {found.covered:.0%} of the events; they are worth {found.effective:.0f} unweighted ones"
    names = f"{'rule':24} {'samples':>8} {'answers':>8} {'wrong':>6}  {'error':24} {'missed events':>13}"
    rows = [
        f"{each.rule or 'untagged':24} {each.samples:>8,} {each.answers:>8,} {each.wrong:>6,}  "
        f"{_share(each.error):24} {each.missed:>13,.0f}"
        for each in found.strata
    ]
    return [head, cover, "", names, *rows]


def _share(error: "Interval | None") -> str:
    return "not known" if error is None else f"{error.share:.1%} ({error.low:.1%} to {error.high:.1%})"
