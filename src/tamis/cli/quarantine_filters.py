"""Options that choose entries of the quarantine, shared by the commands."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.moments import Moment
from tamis.domain.outcome import InvalidReason

if TYPE_CHECKING:
    from tamis.services.quarantine.entries import Wanted

_FILTERS = (
    click.option("--reason", "reason", multiple=True, type=click.Choice([each.value for each in InvalidReason]),
                 metavar="REASON", help="Only for this reason; repeatable, as all of these."),
    click.option("--producer", "producer", multiple=True, help="SDK and versions, as the summary prints them."),
    click.option("--site", "site", multiple=True, help="Label of a site."),
    click.option("--rule", "rule", multiple=True, help="Id of a tagging rule."),
    click.option("--stage", "stage", multiple=True, help="Where it was refused.",
                 type=click.Choice(("decode", "validate", "dedupe", "consent", "privacy"))),
    click.option("--source", "source", multiple=True, help="The topic it came from.",
                 type=click.Choice(("events.raw", "consent.raw", "privacy.requests"))),
    click.option("--partition", "partitions", type=click.IntRange(0), multiple=True, help="Of the source."),
    click.option("--since", type=Moment(), help="Received at or after: a time with a zone, or how long ago (6h)."),
    click.option("--until", type=Moment(), help="Received before."),
)  # fmt: skip
_NAMES = ("reason", "producer", "site", "rule", "stage", "source")


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose entries."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def wanted_of(chosen: dict[str, Any]) -> "Wanted":
    """What those options ask for.

    Raises:
        click.UsageError: an empty span of time.
    """
    from tamis.services.quarantine.entries import Wanted

    since, until = chosen["since"], chosen["until"]
    bounds = {name: value for name, value in (("since", since), ("until", until)) if value is not None}
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since must be before --until")
    fields = {name: frozenset(chosen[name]) for name in _NAMES if chosen[name]}
    return Wanted(partitions=frozenset(chosen["partitions"]), fields=fields, **bounds)


def progress(what: str) -> Callable[[int], None] | None:
    """Tells a person at a terminal how far a long run is: how many of what."""
    if not sys.stderr.isatty():
        return None
    return lambda number: click.echo(f"\r{number:,} {what} ", nl=False, err=True)
