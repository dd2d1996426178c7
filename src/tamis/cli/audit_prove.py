"""``tamis audit prove``: evidence of single decisions as one file to hand over; needs a folder of sealed logs only.

Rules: an event's id is an identity and never a command-line argument: it is read from standard input or a file.
Exit codes: 0 written, 1 a decision that was asked for is not in the logs, 2 wrong usage or configuration.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from tamis.cli.audit_places import configured_rules, sealed_folder
from tamis.cli.session import Finding, Session, pass_session

_FILE: Any = click.File("rb")
_ORIGINAL: Any = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER: Any = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--position", "positions", multiple=True, metavar="TOPIC/P/OFFSET/I", help="Source position; repeatable.")
@click.option("--positions", "positions_file", type=_FILE, help="File of positions, one a line; - for standard input.")
@click.option("--event-id", "event_ids", type=_FILE, help="File of event ids, one a line; - for standard input.")
@click.option("--proof-id", "proof_ids", multiple=True, help="Proof id that a destination received; repeatable.")
@click.option("--destination", help="Destination whose event ids or proof ids these are.")
@click.option("--config", type=_FOLDER, help="Configuration folder, for rules that FOLDER does not hold.")
@click.option("--open", "opened", is_flag=True, help="Add what shows which event a decision is about; see below.")
@click.option(
    "--original", "originals", type=_ORIGINAL, multiple=True, help="An event's record, for --open; repeatable."
)
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="New zip file.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
@pass_session
def prove(
    session: Session,
    folder: Path | None,
    positions: tuple[str, ...],
    positions_file: BinaryIO | None,
    event_ids: BinaryIO | None,
    proof_ids: tuple[str, ...],
    destination: str | None,
    config: Path | None,
    opened: bool,
    originals: tuple[Path, ...],
    target: Path,
    as_json: bool,
) -> None:
    """Write evidence of decisions in FOLDER (default: the sealer's) into one zip file for --to.

    Name decisions by where the event came from (--position), by the event's own id (--event-id, read from a file or
    standard input; with --destination the id that destination received), or by the proof id a destination received.

    With --open the evidence also says what opens each event's commitment, so that whoever holds the event can see that
    the decision is about it (`tamis audit verify-bundle --event FILE`). This needs the keys, this host's consent
    replica and the record, from events.raw or an --original. Nothing opens after erasure, or where nobody was known.
    An opening holds for all events of the same person: hand it to those alone who may know them.
    """
    from tamis.cli.audit_places import openings
    from tamis.services.evidence import EvidenceGatherer
    from tamis.services.evidence_readme import readme
    from tamis.stores.evidence_zip import write_evidence

    named = [*positions, *lines_of(positions_file)]
    ids = list(lines_of(event_ids))
    if not named and not ids and not proof_ids:
        raise click.UsageError("nothing to prove: give --position, --positions, --event-id or --proof-id")
    logs = sealed_folder(session, folder)
    found = [
        leaf for name, leaves in found_leaves(session, logs, named, ids, proof_ids, destination) for leaf in leaves
    ]
    rules = configured_rules(config)
    with openings(session, originals, wanted=opened or bool(originals)) as open_:
        evidence = EvidenceGatherer(logs, rules=rules, open_=open_).gather(found)
    write_evidence(target, evidence, readme(evidence))
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(evidence.manifest).decode())
        return
    for item in evidence.manifest.items[:20]:
        click.echo(f"{item.position}: leaf {item.index:,} of {item.log}")
    if opened or originals:
        n = sum(bool(item.opening) for item in evidence.manifest.items)
        click.echo(f"{n:,} of {len(evidence.manifest.items):,} decisions can be opened")
    click.echo(f"written to {target}; check it with: tamis audit verify-bundle {target} --vkey KEY")


def found_leaves(
    session: Session,
    logs: Any,
    positions: list[str],
    ids: list[str],
    proof_ids: tuple[str, ...],
    destination: str | None,
) -> Iterator[tuple[str, list[Any]]]:
    """What was asked for and the leaves of it; an identity that is not found is named by its line."""
    from tamis.services import leaf_naming, leaf_search

    try:
        wanted = [(text, leaf_search.by_position(logs, leaf_search.parse_position(text))) for text in positions]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if ids or proof_ids:
        names = leaf_naming.open_names(session.settings, destination)
        wanted += [
            (f"event id {n}", [leaf for tag in names.tags(text) for leaf in leaf_search.by_tag(logs, tag)])
            for n, text in enumerate(ids, 1)
        ]
        wanted += [
            (f"proof id {text}", [leaf for at in names.positions(text) for leaf in leaf_search.by_position(logs, at)])
            for text in proof_ids
        ]
    missing = [name for name, leaves in wanted if not leaves]
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise Finding(f"no sealed decision for {missing[0]}{more} in {logs.folder}")
    yield from wanted


def lines_of(file: BinaryIO | None) -> Iterator[str]:
    """The lines of a file, without those that are empty; bytes that are no text are kept."""
    for line in file or ():
        text = line.decode("utf-8", "surrogateescape").strip()
        if text:
            yield text
