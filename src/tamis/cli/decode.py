"""``tamis decode``: what a producer's request means, one JSON object per event.

Rules: prints to standard output only, identities included: a tool for people who integrate a producer, on their own
machine. Exit code 0 when everything was understood, 1 when some of it was not, 2 for wrong usage.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from tamis.domain.event import Invalid
from tamis.envelopes.registry import FIXED
from tamis.services.decoding import Showing
from tamis.services.requests import Request, of_file, of_line

_STANDARD_INPUT = "-"


@click.command("decode")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str))
@click.option("--jsonl", is_flag=True, help='One request a line: {"value", "headers", "endpoint"}.')
@click.option("--vendor", type=click.Choice(sorted(FIXED)), help="Read all as this vendor's; default: detect each.")
def command(files: tuple[str, ...], jsonl: bool, vendor: str | None) -> None:
    """Show what requests of producers mean, one JSON object per event, in order.

    FILES hold one request each: {"body", "headers", "endpoint"}; - is standard input. With --jsonl each line is a
    request; without FILES standard input is read.

    \b
    Printed per event: file, index, vendor, kind, event_id, event_id_derived, name, occurred_at, sent_at,
    anonymous_id, user_id, properties, context, consent; and placeholder, where an id names nobody.
    What cannot be used: file, index, error, path.
    The output holds identities: do not keep it.
    """  # noqa: D301 - click's mark is the character itself
    if not files and not jsonl:
        raise click.UsageError("name at least one file, or give --jsonl")
    showing, encode = Showing(vendor=vendor), msgspec.json.Encoder().encode
    failed = False
    for name, request in _requests(files or (_STANDARD_INPUT,), jsonl):
        for index, found in enumerate(_events(showing, request)):
            failed |= "error" in found
            click.echo(encode({"file": name, "index": index} | found))
    sys.exit(1 if failed else 0)


def _events(showing: Showing, request: Request | Invalid) -> Iterable[dict[str, object]]:
    if isinstance(request, Invalid):
        return [{"error": request.reason, "path": request.path}]
    return showing.events(*request)


def _requests(files: Iterable[str], jsonl: bool) -> Iterator[tuple[str, Request | Invalid]]:
    """Each request with what names it: the file, and the line within it."""
    for name in files:
        if not jsonl:
            content = sys.stdin.buffer.read() if name == _STANDARD_INPUT else Path(name).read_bytes()
            yield name, of_file(content)
        elif name == _STANDARD_INPUT:
            yield from _lines(name, sys.stdin.buffer)
        else:
            with Path(name).open("rb") as file:
                yield from _lines(name, file)


def _lines(name: str, file: BinaryIO) -> Iterator[tuple[str, Request | Invalid]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield f"{name}:{number}", of_line(line)
