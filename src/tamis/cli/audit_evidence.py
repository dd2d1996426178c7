"""``tamis audit verify-bundle``: checks evidence that somebody handed over; needs the file and trusted keys only.

Rules: one line a check; without a key of the log nothing is verified. Exit codes: 0 verified, 1 not, 2 wrong usage.
"""

from pathlib import Path
from typing import Any

import click

from tamis.cli.audit_places import authorities, log_keys, witness_policy
from tamis.cli.printable import printable
from tamis.cli.session import FOUND_SOMETHING

_PATH: Any = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("verify-bundle")
@click.argument("file", type=_PATH)
@click.option("--vkey", "vkeys", multiple=True, help="Public key of the log, or a file with such lines; repeatable.")
@click.option("--witness-vkey", "witness_vkeys", multiple=True, help="Public key of a witness, or a file; repeatable.")
@click.option("--quorum", type=click.IntRange(1), help="How many of these witnesses are enough; default: all.")
@click.option("--policy", type=_PATH, help="Witnesses and quorum from a trust policy file (c2sp.org/tlog-policy).")
@click.option("--tsa", type=_PATH, multiple=True, help="Certificate of a timestamp authority, PEM; repeatable.")
@click.option("--event", "events", type=_PATH, multiple=True, help="An event's record as it was sent; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_context
def verify_bundle(
    context: click.Context,
    file: Path,
    vkeys: tuple[str, ...],
    witness_vkeys: tuple[str, ...],
    quorum: int | None,
    policy: Path | None,
    tsa: tuple[Path, ...],
    events: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check the evidence in FILE (a zip written by `tamis audit prove`) with keys you got from elsewhere.

    With --event it is also checked which decision is about this event; FILE must hold openings for that.
    """
    from tamis.domain.audit.evidence import EvidenceError, Line, State
    from tamis.domain.audit.evidence_check import Trust, check, verified
    from tamis.services.rejudge import Rejudge
    from tamis.stores.evidence_zip import read_zip

    rejudge = Rejudge()
    trust = Trust(
        keys=log_keys(vkeys),
        witnesses=witness_policy(witness_vkeys, quorum, policy),
        authorities=authorities(tsa),
        agrees=rejudge.agrees,
        events=tuple(event.read_bytes() for event in events),
    )
    try:
        lines = check(read_zip(file), trust)
    except EvidenceError as error:
        lines = [Line("files", State.FAILED, str(error))]
    passed = verified(lines)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"verified": passed, "checks": lines}).decode())
    else:
        for text in _texts(lines, passed):
            click.echo(printable(text))
    context.exit(0 if passed else FOUND_SOMETHING)


def _texts(lines: list[Any], passed: bool) -> list[str]:
    texts = []
    for line in lines:
        texts.append(f"{line.state:<12} {line.check:<10} {line.detail}")
        texts += [f"{'':<23} {place}" for place in line.failures]
    return [*texts, "VERIFIED" if passed else "NOT VERIFIED"]
