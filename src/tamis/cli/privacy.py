"""``tamis privacy request``: what data subjects ask for, from whoever has checked who they are.

Rules: identities come from standard input or a file, never from the command line, and are never printed back; a wrong
one is told by its line. Nothing is sent unless every line can be read. Exit codes: 0 done, 1 sent but not in force
within ``--wait``, 2 wrong usage or configuration.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO
from uuid import uuid4

import click
import orjson

from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.consent_sources.privacy import ACCESS, RESTRICTION, TYPES, PrivacyRequest
from tamis.domain.consent.retraction import OBJECTION
from tamis.domain.identity import SubjectKeys, canonical
from tamis.settings import Settings

_FILE: Any = click.File("rb")
_MOST = 10_000


@click.group(name="privacy")
def command() -> None:
    """Privacy requests of data subjects: access, erasure, restriction, objection."""


@command.command()
@click.option("--type", "kind", type=click.Choice(TYPES), required=True, help="What is asked for.")
@click.option("--from", "source", type=_FILE, default="-", metavar="FILE",
              help="Identities, one a line; - for standard input (the default).")  # fmt: skip
@click.option("--as", "identity", type=click.Choice(["person", "device"]), default="person", show_default=True,
              help="What a line is that is no JSON object.")  # fmt: skip
@click.option("--purpose", "purposes", multiple=True, help="Of an objection; all purposes without it. Repeatable.")
@click.option("--lift", is_flag=True, help="End a restriction.")
@click.option("--wait", "wait_s", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
              help="Wait until the subject records obey.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_session
def request(
    session: Session, kind: str, source: BinaryIO, identity: str, purposes: tuple[str, ...], lift: bool,
    wait_s: float, as_json: bool,
) -> None:  # fmt: skip
    """Send requests of TYPE for the identities read; access is answered at once, as JSON.

    A line is an id as events carry it, or {"person": "...", "device": "..."} to name both. Identities are never shown.
    """
    if purposes and kind != OBJECTION:
        raise click.UsageError("--purpose goes with --type objection")
    if lift and kind != RESTRICTION:
        raise click.UsageError("--lift goes with --type restriction")
    asked = _read(source, identity, lambda who: PrivacyRequest(
        type=kind, request=str(uuid4()), purposes=purposes, lift=lift, **who))  # fmt: skip
    if kind == ACCESS:
        _answer(session, asked)
    else:
        _send(session, asked, wait_s, as_json=as_json)


def _read(
    source: Iterable[bytes], identity: str, make: Callable[[dict[str, str]], PrivacyRequest]
) -> list[PrivacyRequest]:
    if source is sys.stdin.buffer and sys.stdin.isatty():
        click.echo("identities, one a line, then Ctrl-D:", err=True)
    asked, wrong = [], []
    for number, line in enumerate(source, 1):
        if number > _MOST:
            raise click.UsageError(f"more than {_MOST} lines at once")
        if line.strip():
            who = _who(line.strip(), identity)
            if isinstance(who, str):
                wrong.append(f"  line {number}: {who}")
            else:
                asked.append(make(who))
    if wrong:
        raise click.UsageError("\n".join(["nothing was sent:", *wrong]))
    if not asked:
        raise click.UsageError("there is no identity to read; nothing was sent")
    return asked


def _who(line: bytes, identity: str) -> dict[str, str] | str:
    """The identities of a line, or what is wrong with it without a word of it."""
    try:
        stated = orjson.loads(line) if line.startswith(b"{") else {identity: line.decode()}
    except UnicodeDecodeError:
        return "not UTF-8"
    except orjson.JSONDecodeError:
        return "begins as JSON and is none"
    if not stated or not set(stated) <= {"person", "device"}:
        return 'a JSON object must have "person", "device" or both, and nothing else'
    found = {}
    for name, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return f"the {name} is neither text nor a number"
        known = canonical(str(value))
        if known is None:
            return f"the {name} is a placeholder that names nobody, or too long"
        found[name] = known
    return found


def _send(session: Session, asked: list[PrivacyRequest], wait_s: float, *, as_json: bool) -> None:
    from tamis.keys.provider import open_keys
    from tamis.services.privacy_requests import send, wait_until_in_force

    settings = session.settings
    if any(each.purposes for each in asked):
        _check_purposes(settings, asked[0].purposes)
    keys = SubjectKeys(open_keys(settings).derive("subject")) if wait_s else None
    send(settings, asked)
    left = [] if keys is None else wait_until_in_force(settings, asked, keys, wait_s)
    for each in asked:
        state = "sent" if keys is None else "not in force" if each in left else "in force"
        if as_json:
            click.echo(orjson.dumps({"request": each.request, "type": each.type, "state": state}))
        else:
            click.echo(f"{each.request}  {each.type}: {state}")
    if left:
        sys.exit(FOUND_SOMETHING)


def _check_purposes(settings: Settings, purposes: tuple[str, ...]) -> None:
    """An objection to something that is no purpose must not look as if it was heard."""
    from tamis.services.quarantine.recheck import active_bundle

    known = active_bundle(settings).policy.aliases
    for purpose in purposes:
        if purpose not in known:
            raise click.UsageError(f"--purpose {purpose}: the policy knows {', '.join(sorted(known))}")


def _answer(session: Session, asked: list[PrivacyRequest]) -> None:
    from tamis.domain.keyring import Keyring
    from tamis.keys.provider import open_keys
    from tamis.services.access import access_report
    from tamis.services.quarantine.recheck import active_bundle

    settings = session.settings
    keys = open_keys(settings)
    bundle = active_bundle(settings)
    ring = Keyring(keys.derive, keys.epochs(), [each.id for each in bundle.destinations])
    for each in asked:
        click.echo(orjson.dumps(access_report(settings, bundle, ring, each)))
