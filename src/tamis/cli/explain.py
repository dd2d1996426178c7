"""``tamis explain``: what was decided about an event and why, in plain words, and that it follows from what was known.

Rules: needs a folder of sealed logs or evidence that was handed over; no network, and keys only to find event ids and
proof ids. Exit codes: 0 the verdicts were re-evaluated and are the same, 1 one is not, could not be, or is not there, 2
wrong usage.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from tamis.cli.audit_places import configured_rules, sealed_folder
from tamis.cli.audit_prove import found_leaves, lines_of
from tamis.cli.printable import printable
from tamis.cli.session import FOUND_SOMETHING, Finding, Session, pass_session

_FILE: Any = click.File("rb")
Leaf = tuple[str, bytes, bytes | None]
"""Name of its log, bytes, and the rules it cites."""


@click.command("explain")
@click.argument("place", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--position", "positions", multiple=True, metavar="TOPIC/P/OFFSET/I", help="Source position; repeatable.")
@click.option("--event-id", "event_ids", type=_FILE, help="File of event ids, one a line; - for standard input.")
@click.option("--proof-id", "proof_ids", multiple=True, help="Proof id that a destination received; repeatable.")
@click.option("--destination", help="Destination whose event ids or proof ids these are.")
@click.option(
    "--config", "config", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Configuration folder, for rules that PLACE does not hold.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_session
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    place: Path | None,
    positions: tuple[str, ...],
    event_ids: BinaryIO | None,
    proof_ids: tuple[str, ...],
    destination: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Explain decisions in PLACE: evidence (a zip file; all of it without further options) or a folder of sealed logs.

    Without PLACE it is the sealer's folder. This does not check that the decisions are in the log; that is
    `tamis audit verify-bundle`.
    """
    from tamis.services.explain import Explainer
    from tamis.services.explain_text import text_of

    if place is not None and place.is_file():
        leaves = _of_evidence(place, positions)
    else:
        named = (list(positions), list(lines_of(event_ids)), proof_ids)
        if not any(named):
            raise click.UsageError("name a decision: --position, --event-id or --proof-id")
        logs = sealed_folder(session, place)
        leaves = _of_folder(logs, found_leaves(session, logs, *named, destination))
    explainer, fine = Explainer(), True
    rules = next(iter(configured_rules(config).values()), None)
    for log, leaf, source in leaves:
        try:
            explained = explainer.explain(leaf, source or rules)
        except ValueError as error:
            raise Finding(printable(str(error))) from None
        fine = fine and explained.reevaluated in {"same", "not decided"}
        if as_json:
            import msgspec

            click.echo(msgspec.json.encode(explained).decode())
        else:
            click.echo("\n".join(map(printable, text_of(explained, log).split("\n"))))
    context.exit(0 if fine else FOUND_SOMETHING)


def _of_evidence(file: Path, positions: tuple[str, ...]) -> Iterator[Leaf]:
    from tamis.domain.audit.evidence import EvidenceError
    from tamis.domain.audit.evidence_check import cited_bundle
    from tamis.stores.evidence_zip import read_zip

    try:
        evidence = read_zip(file)
    except EvidenceError as error:
        raise Finding(f"{file}: {error}") from None
    items = [item for item in evidence.manifest.items if not positions or item.position in positions]
    if not items:
        raise Finding(f"{file} holds no decision about {positions[0]}")
    for item in items:
        leaf = evidence.files[item.leaf]
        yield item.log, leaf, evidence.files.get(f"bundles/{cited_bundle(leaf)}.json")


def _of_folder(logs: Any, found: Any) -> Iterator[Leaf]:
    from tamis.domain.audit.evidence_check import cited_bundle

    for _, leaves in found:
        for each in leaves:
            yield str(each.log.origin), each.leaf, logs.bundle(cited_bundle(each.leaf) or "")
