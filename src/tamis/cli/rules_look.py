"""``tamis rules plan``, ``status``, ``show`` and ``key``: what is published and who runs it; nothing is changed."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.records.rules import ACTIVE, SHADOW, WorkerReport
from tamis.settings import Settings, SetupError

if TYPE_CHECKING:
    from tamis.bundles.published import Published
    from tamis.bundles.signing import Signer
    from tamis.domain.bundle import Bundle
    from tamis.keys.ring import KeyRing

SILENT_MS = 120_000  # a worker that reports every 30 s and was not heard of for so long is gone
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
FOLDER = click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))


class Topic(msgspec.Struct, frozen=True):
    """The topic ``rules`` as a command sees it."""

    settings: Settings
    keys: "KeyRing"
    signer: "Signer"
    trusted: tuple[str, ...]
    found: "Published"


def open_topic(session: Session) -> Topic:
    """What stands in the topic, and the keys to write to it."""
    from tamis.keys.provider import open_keys
    from tamis.services.rules_topic import read_published, signer_of, trusted_keys

    settings = session.settings
    keys = open_keys(settings)
    return Topic(settings, keys, signer_of(keys), trusted_keys(settings, keys), read_published(settings, keys))


def folder_of(session: Session, folder: Path | None) -> "tuple[Path, Bundle]":
    """A configuration folder and its bundle.

    Raises:
        SetupError: it is not valid; all its errors are in the message.
    """
    from tamis.bundles.load import load_bundle

    place = folder if folder is not None else Path(session.settings.rules.folder)
    bundle = load_bundle(place)
    if isinstance(bundle, list):
        raise SetupError("\n".join([f"{place} cannot be used:", *(f"  {problem}" for problem in bundle)]))
    return place, bundle


def say(as_json: bool, text: str, value: Any) -> None:
    """An answer for people or for programs."""
    click.echo(msgspec.json.encode(value).decode() if as_json else text)


@click.command()
@FOLDER
@_JSON
@pass_session
def plan(session: Session, folder: Path | None, as_json: bool) -> int:
    """Show what publishing FOLDER would change; exit code 1 if anything."""
    from tamis.bundles.changes import changes
    from tamis.services.rules_topic import missing_topics

    _, bundle = folder_of(session, folder)
    topic = open_topic(session)
    pointer = topic.found.pointer()
    before = topic.found.bundles.get(pointer.hash) if pointer is not None else None
    lines = changes(before.source.encode() if before is not None else None, bundle.source)
    missing = missing_topics(session.settings, bundle)
    answer = {
        "active": pointer.hash if pointer else None, "planned": bundle.hash, "changes": lines, "missing_topics": missing
    }  # fmt: skip
    head = f"active {pointer.hash if pointer else 'none'}, planned {bundle.hash}"
    text = [head, *map("  {}".format, lines), *(f"  cannot be published: {each}" for each in missing)]
    say(as_json, "\n".join(text if len(text) > 1 else [f"{bundle.hash} is active, nothing to do"]), answer)
    return FOUND_SOMETHING if lines or missing else 0


@click.command()
@_JSON
@pass_session
def status(session: Session, as_json: bool) -> int:
    """Show what is active, what is published and what each worker runs; exit code 1 if one runs something else."""
    found = open_topic(session).found
    now = time.time_ns() // 1_000_000
    active, shadow = found.pointer(ACTIVE), found.pointer(SHADOW)
    live = sorted(
        (each for each in found.reports.values() if not each.ended and now - each.at < SILENT_MS),
        key=lambda each: each.worker,
    )
    wrong = [each for each in live if each.refused or (each.seq and (active is None or each.bundle != active.hash))]
    answer = {
        "active": active, "shadow": shadow, "workers": live, "odd": found.odd, "ok": not wrong,
        "bundles": [{"hash": body.hash, "at": body.at} for body in _newest(found)],
    }  # fmt: skip
    lines = [f"active   {_pointed(active)}"]
    if shadow is not None and shadow.hash:
        lines.append(f"shadow   {_pointed(shadow)}")
    lines += ["", "bundles", *(f"  {body.hash}  {_day(body.at)}" for body in _newest(found))]
    lines += ["", "workers", *(line for each in live for line in _worker(each, now))]
    lines += [f"does not count: {odd}" for odd in found.odd]
    say(as_json, "\n".join(lines), answer)
    return FOUND_SOMETHING if wrong else 0


def _newest(found: "Published") -> list[Any]:
    return sorted(found.bundles.values(), key=lambda body: body.at, reverse=True)


def _pointed(pointer: Any) -> str:
    return "none" if pointer is None else f"{pointer.hash}  number {pointer.seq}, since {_day(pointer.at)}"


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at / 1000))


def _worker(each: WorkerReport, now: int) -> list[str]:
    beside = f" beside {each.candidate}" if each.candidate else ""
    source = f"number {each.seq}" if each.seq else "from its folder"
    line = (
        f"  {each.worker:<28} {each.bundle or 'waits for rules':<17}{beside} {source}, {(now - each.at) // 1000} s ago"
    )
    return [line, *(f"    refused: {why}" for why in each.refused)]


@click.command()
@click.argument("name", metavar="HASH")
@_JSON
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Print the configuration files of a published bundle, as an audit leaf names it."""
    body = open_topic(session).found.bundles.get(name)
    if body is None:
        raise SetupError(f"there is no bundle {name} in the topic {session.settings.topic('rules')}")
    files = body.files or {"source.json": body.source}
    text = "\n".join(f"# --- {file}\n{content}" for file, content in files.items())
    say(
        as_json,
        text,
        {"hash": body.hash, "at": body.at, "files": body.files, "source": msgspec.Raw(body.source.encode())},
    )


@click.command()
@_JSON
@pass_session
def key(session: Session, as_json: bool) -> None:
    """Print the public key these keys sign with, for rules.trusted_keys of the workers."""
    from tamis.keys.provider import open_keys
    from tamis.services.rules_topic import signer_of

    public = signer_of(open_keys(session.settings)).public
    say(as_json, public, {"key": public})
