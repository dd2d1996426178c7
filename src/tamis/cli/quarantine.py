"""``tamis quarantine``: what was refused and why, without its contents; ``show`` and ``replay`` open originals.

Rules: ``list`` and ``summary`` need no key and print nothing a sender wrote. Exit codes: 0 done, 1 nothing was found, 2
wrong usage or configuration, 75 the cluster is out of reach.
"""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.moments import utc
from tamis.cli.quarantine_filters import filters, progress, wanted_of
from tamis.cli.quarantine_open import show
from tamis.cli.quarantine_replay import replay
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session

if TYPE_CHECKING:
    from tamis.services.quarantine.entries import Stored
    from tamis.services.quarantine.summary import Group


@click.group("quarantine")
def command() -> None:
    """What was refused: list, count, open under audit, replay."""


@command.command("list")
@filters
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Print at most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_session
def list_entries(session: Session, /, limit: int, as_json: bool, **chosen: Any) -> int:
    """List entries, oldest first within a partition: position, reason, path, producer; never a payload."""
    from tamis.services.quarantine.entries import stored_entries

    found = stored_entries(session.settings, wanted_of(chosen), progress("entries read"))
    printed = 0
    for printed, stored in enumerate(islice(found, limit), 1):
        click.echo(_line_json(stored) if as_json else _line(stored, header=printed == 1))
    if next(found, None) is not None:
        click.echo(f"there are more than {limit}; see --limit, --since, summary", err=True)
    return _said(printed)


def _said(printed: int) -> int:
    if not printed:
        click.echo("nothing in quarantine fits", err=True)
    return 0 if printed else FOUND_SOMETHING


_HEAD = f"{'received (UTC)':19}  {'position':28} {'reason':18} {'bytes':>7}  {'producer':28} path"


def _line(stored: "Stored", *, header: bool) -> str:
    entry = stored.entry
    line = (
        f"{utc(entry.received_at)}  {stored.position!s:28} {entry.reason:18} {entry.size:>7}  "
        f"{stored.field('producer'):28} {entry.path}"
    )
    return f"{_HEAD}\n{line}" if header else line


def _line_json(stored: "Stored") -> str:
    import msgspec

    entry = msgspec.to_builtins(stored.entry)
    kept = {
        "position": str(stored.position),
        "stored_at": f"{stored.partition}/{stored.offset}",
        **{name: value for name, value in entry.items() if not name.startswith("sealed")},
        "has_original": bool(stored.entry.sealed),
    }
    return msgspec.json.encode(kept).decode()


@command.command()
@filters
@click.option("--by", "by", multiple=True, default=("producer",), show_default=True,
              type=click.Choice(("producer", "reason", "site", "rule", "stage", "source", "path", "day", "partition")),
              help="Group by this; repeatable.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_session
def summary(session: Session, /, by: tuple[str, ...], as_json: bool, **chosen: Any) -> int:
    """Count entries by producer, reason, site or rule: what a sender has to mend, with examples."""
    import msgspec

    from tamis.services.quarantine.entries import stored_entries
    from tamis.services.quarantine.summary import summarise

    groups = summarise(stored_entries(session.settings, wanted_of(chosen), progress("entries read")), by)
    total = sum(group.entries for group in groups)
    if as_json:
        for group in groups:
            named = dict(zip(by, group.values, strict=True))
            rest = {name: value for name, value in msgspec.to_builtins(group).items() if name != "values"}
            click.echo(msgspec.json.encode({**named, "share": group.entries / total, **rest}).decode())
    else:
        click.echo("\n".join(_table(groups, by, total)), nl=bool(groups))
    return _said(total)


_SHOWN_REASONS = 3


def _table(groups: Iterable["Group"], by: tuple[str, ...], total: int) -> Iterable[str]:
    groups = list(groups)
    widths = [max(map(len, (name, *(group.values[n] for group in groups)))) for n, name in enumerate(by)]
    names = "  ".join(f"{name:{width}}" for name, width in zip(by, widths, strict=True))
    if groups:
        yield f"{names}  {'entries':>9} {'share':>6}  {'first (UTC)':19}  {'last (UTC)':19}  example"
    for group in groups:
        values = "  ".join(f"{value:{width}}" for value, width in zip(group.values, widths, strict=True))
        yield (
            f"{values}  {group.entries:>9,} {group.entries / total:>6.1%}  {utc(group.first)}  {utc(group.last)}  "
            f"{group.examples[-1]}"
        )
        indent = " " * (sum(widths) + 2 * len(widths) - 2)
        for why, count in islice(group.reasons.items(), _SHOWN_REASONS):
            yield f"{indent}  {count:>9,} {'':6}  {why}"
        if len(group.reasons) > _SHOWN_REASONS:
            yield f"{indent}  {'':9} {'':6}  and {len(group.reasons) - _SHOWN_REASONS} more"


command.add_command(show)
command.add_command(replay)
