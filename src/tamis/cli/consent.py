"""``tamis consent``: commands about consent; ``decode`` says what consent strings hold.

Rules of ``decode``: one JSON object a string, in the order they came, written at once; a string that cannot be used is
``{"valid": false, "error": ...}``, where the error holds nothing of the string. Exit code 0 when all are valid, 1 when
one is not, 2 for wrong usage.
"""

import sys
from collections.abc import Iterable
from typing import cast

import click
import orjson

from tamis.cli.lines import Stream, lines_of
from tamis.domain.consent.strings.description import describe
from tamis.domain.consent.strings.flaw import MAX_CHARS, Malformed
from tamis.domain.consent.strings.gpp import GppString
from tamis.domain.consent.strings.reading import Format, read

_BYTES = 4 * MAX_CHARS  # of the longest text in UTF-8


@click.group(name="consent")
def command() -> None:
    """Consent: read consent strings."""


@command.command()
@click.argument("strings", nargs=-1)
@click.option(
    "--format", "wanted", type=click.Choice([choice.value for choice in Format]),
    help="What the strings are; default: told from how each begins.",
)  # fmt: skip
def decode(strings: tuple[str, ...], wanted: str | None) -> None:
    """Say what consent STRINGS hold, one JSON object a line.

    Without STRINGS, or with "-" alone, they are read from standard input, one a line. TCF, GPP, US Privacy and Google's
    gcs and gcd are read; a string that is cut short, too long, or not exactly as its specification says is not valid.
    """
    chosen = Format(wanted) if wanted else None
    invalid = False
    for text in _from_input() if strings in {(), ("-",)} else strings:
        line = _object(text, chosen)
        invalid = invalid or not line["valid"]
        click.echo(orjson.dumps(line))
    sys.exit(1 if invalid else 0)


def _from_input() -> Iterable[str]:
    # What is not UTF-8 becomes a character that no format has.
    return (line.decode("utf-8", "replace") for line in lines_of(cast("Stream", sys.stdin.buffer), _BYTES))


def _object(text: str, wanted: Format | None) -> dict[str, object]:
    found = read(text, wanted)
    flawed = found.malformed() if isinstance(found, GppString) else found
    if isinstance(flawed, Malformed):
        return {"valid": False, "error": flawed.message()}
    assert not isinstance(found, Malformed)
    return {"valid": True, **describe(text, found)}
