"""``tamis rules publish`` and ``rollback``: move the pointer that workers follow."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamis.cli.rules_look import FOLDER, Topic, folder_of, open_topic, say
from tamis.cli.session import Session, pass_session
from tamis.records.rules import ACTIVE, SHADOW
from tamis.settings import SetupError

if TYPE_CHECKING:
    from tamis.bundles.publishing import Pair
    from tamis.domain.bundle import Bundle

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def now_ms() -> int:
    """Wall clock, ms."""
    return time.time_ns() // 1_000_000


@click.command()
@FOLDER
@click.option("--shadow", "as_shadow", is_flag=True, help="As a candidate: judged beside the active rules, no effect.")
@_JSON
@pass_session
def publish(session: Session, folder: Path | None, as_shadow: bool, as_json: bool) -> None:
    """Sign the configuration in FOLDER (default: the one in the settings) and make it active."""
    from tamis.bundles.folder import files_of
    from tamis.bundles.publishing import bundle_record

    place, bundle = folder_of(session, folder)
    topic = open_topic(session)
    role = SHADOW if as_shadow else ACTIVE
    before = topic.found.pointer(role)
    if before is not None and before.hash == bundle.hash:
        say(as_json, f"{bundle.hash} is {role} already", {"hash": bundle.hash, "seq": before.seq, "changed": False})
        return
    _refuse(topic, bundle)
    record = bundle_record(bundle, files_of(place), topic.signer, now_ms())
    seq = move(topic, bundle.hash, role, [record])
    say(as_json, f"{bundle.hash} is {role}, number {seq}", {"hash": bundle.hash, "seq": seq, "changed": True})


@click.command()
@click.option("--to", "name", metavar="HASH", help="Which bundle; else the one before.")
@_JSON
@pass_session
def rollback(session: Session, name: str | None, as_json: bool) -> None:
    """Make an earlier bundle active again."""
    topic = open_topic(session)
    pointer = topic.found.pointer()
    target = name or (pointer.previous if pointer is not None else "")
    if not target:
        raise SetupError("there is no bundle before; name one with --to (tamis rules status lists them)")
    if pointer is not None and pointer.hash == target:
        raise SetupError(f"{target} is active already")
    checked = topic.found.check(target)
    if checked.bundle is None:
        raise SetupError("\n".join([f"{target} cannot be used:", *(f"  {each}" for each in checked.problems)]))
    _refuse(topic, checked.bundle)
    seq = move(topic, target, ACTIVE, [])
    say(as_json, f"{target} is active again, number {seq}", {"hash": target, "seq": seq, "changed": True})


def _refuse(topic: Topic, bundle: "Bundle") -> None:
    """Refuses what workers would refuse."""
    from tamis.services.rules_topic import missing_topics

    if missing := missing_topics(topic.settings, bundle):
        lines = [f"{bundle.hash} names topics that cannot be used (tamis topics apply):", *map("  {}".format, missing)]
        raise SetupError("\n".join(lines))


def move(topic: Topic, name: str, role: str, first: "list[Pair]") -> int:
    """Writes ``first``, then a pointer, and reads it back; gives its number.

    Raises:
        SetupError: nobody would follow this key, or another publisher was faster.
    """
    from tamis.bundles.publishing import pointer_record
    from tamis.services.rules_topic import read_published, write

    if topic.signer.public not in topic.trusted:
        raise SetupError(f"these keys sign as {topic.signer.public}, which rules.trusted_keys does not name")
    full_name = topic.settings.topic("rules")
    write(topic.settings, [*first, pointer_record(topic.found, name, topic.signer, full_name, now_ms(), role)])
    now = read_published(topic.settings, topic.keys).pointer(role)
    if now is None or now.hash != name:
        raise SetupError("somebody else moved the pointer at the same time: look at tamis rules status and try again")
    return now.seq
