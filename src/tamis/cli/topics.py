"""``tamis topics``: compare the cluster with what tamis needs, and mend what can be mended.

Rules: ``plan`` changes nothing; ``apply`` makes topics and sets configs, raises partitions only with --allow-growth,
never shrinks or deletes. Exit codes: 0 all as it must be, 1 differences (after ``apply``: those left), 2 wrong usage or
configuration, 75 the cluster does not answer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tamis.bundles.load import load_bundle
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.domain.bundle import Bundle
from tamis.records.topics import TopicSpec, crm_topic
from tamis.settings import Settings, SetupError

if TYPE_CHECKING:
    from tamis.kafka.mend import Change

_CRM = "crm."


@click.group(name="topics")
def command() -> None:
    """Check and make the topics of the cluster."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def plan(session: Session, as_json: bool) -> int:
    """Show what is missing or different; exit code 1 if anything is."""
    from tamis.kafka.admin import actual_topics
    from tamis.kafka.plan import differences, wanted_topics

    settings = session.settings
    wanted = wanted_topics(settings, configured_crm_topics(settings))
    found = differences(wanted, actual_topics(settings.kafka, wanted))
    if as_json:
        _print({"topics": len(wanted), "differences": found})
    else:
        click.echo("\n".join(map(str, found)) or f"{len(wanted)} topics as they must be")
    return FOUND_SOMETHING if found else 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--allow-growth", is_flag=True, help="Raise partition counts of existing topics; workers must be stopped."
)
@pass_session
def apply(session: Session, as_json: bool, allow_growth: bool) -> int:
    """Make what is missing, set configs; exit code 1 if something is left."""
    from tamis.kafka import admin
    from tamis.kafka.mend import mend, state_topics
    from tamis.kafka.plan import wanted_topics

    settings = session.settings
    wanted = wanted_topics(settings, configured_crm_topics(settings))
    actual = admin.actual_topics(settings.kafka, wanted)
    state = state_topics(wanted, actual) if allow_growth else ()
    mending = mend(wanted, actual, allow_growth=allow_growth, holding=admin.holding_records(settings.kafka, state))
    admin.apply(settings.kafka, mending.doing)
    if as_json:
        _print({"topics": len(wanted), "applied": mending.doing, "refused": mending.refused})
    else:
        lines = [*map(_done, mending.doing), *(f"left: {each.difference}: {each.why}" for each in mending.refused)]
        click.echo("\n".join(lines) or f"{len(wanted)} topics as they must be, nothing to do")
    return FOUND_SOMETHING if mending.refused else 0


def configured_crm_topics(settings: Settings) -> Sequence[TopicSpec]:
    """The topics of the destinations in ``rules.folder``.

    Raises:
        SetupError: the folder is not a valid configuration; all its errors are in the message.
    """
    folder = Path(settings.rules.folder)
    bundle = load_bundle(folder)
    if not isinstance(bundle, Bundle):
        raise SetupError("\n".join([f"rules.folder {folder} is not usable", *(f"  {problem}" for problem in bundle)]))
    return [crm_topic(d.topic.removeprefix(_CRM)) for d in bundle.destinations if d.topic.startswith(_CRM)]


def _done(change: "Change") -> str:
    name = change.topic.name
    if change.create:
        return f"made {name}: {change.topic.partitions} partitions"
    if change.raise_to is not None:
        return f"raised {name} to {change.raise_to} partitions"
    return f"set {name}: {', '.join(f'{key}={value}' for key, value in change.configs.items())}"


def _print(answer: dict[str, Any]) -> None:
    click.echo(msgspec.json.encode(answer))
