"""``tamis rules diff`` and ``shadow``: a candidate against what runs, on the past or on live traffic."""

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.moments import moment
from tamis.cli.rules_look import FOLDER, folder_of, open_topic, say
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session
from tamis.records.rules import SHADOW
from tamis.settings import SetupError

if TYPE_CHECKING:
    from tamis.domain.bundle import Bundle
    from tamis.domain.differences import Differences

_EXAMPLE = "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z"
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command()
@FOLDER
@click.option("--replay", "span", metavar="FROM..TO", required=True,
              help="Which events: RFC 3339 times, or how long ago (6h..now).")  # fmt: skip
@click.option("--candidate", metavar="HASH", help="A published bundle instead of FOLDER.")
@click.option("--against", metavar="HASH", help="Compare with this published bundle; else with the active one.")
@_JSON
@pass_session
def diff(
    session: Session, folder: Path | None, span: str, candidate: str | None, against: str | None, as_json: bool
) -> int:
    """Judge events of the past by FOLDER as well, and show what would have been different; exit code 1 if anything."""
    from tamis.kafka.times import read_between
    from tamis.services.rules_replay import replay
    from tamis.stores.consent_view import LmdbConsentView

    since, until = _span(span)
    topic = open_topic(session)
    pointer = topic.found.pointer()
    known = against or (pointer.hash if pointer is not None else "")
    active = _published(topic.found, known) if known else folder_of(session, None)[1]
    other = _published(topic.found, candidate) if candidate else folder_of(session, folder)[1]
    settings = session.settings
    records = read_between(settings.kafka, settings.topic("events.raw"), since, until)
    with contextlib.closing(LmdbConsentView(Path(settings.replica_path()))) as consent:
        if not consent.caught_up():
            click.echo(f"no consent is known here ({settings.replica_path()} is not a replica that caught up): "
                       "only what does not depend on consent differs", err=True)  # fmt: skip
        found = replay(records, active, other, topic.keys, consent, settings)
    return tell(found, active.hash, other.hash, as_json=as_json)


def _published(found: Any, name: str) -> "Bundle":
    checked = found.check(name)
    if checked.bundle is None:
        raise SetupError("\n".join([f"{name} cannot be used:", *(f"  {each}" for each in checked.problems)]))
    bundle: Bundle = checked.bundle
    return bundle


def _span(text: str) -> tuple[int, int]:
    since, dots, until = text.partition("..")
    now = time.time_ns() // 1_000_000
    times = [moment(part, now) for part in (since, until)] if dots else []
    if len(times) != 2 or None in times or times[0] >= times[1]:  # type: ignore[operator] # noqa: PLR2004 - from, to
        raise click.BadParameter(
            f"{text} is not FROM..TO, such as 2026-11-20T00:00:00Z..2026-11-21T00:00:00Z or 6h..now"
        )
    return times[0] or 0, times[1] or 0


@click.group()
def shadow() -> None:
    """Compare a candidate with the active rules on live traffic (tamis rules publish --shadow)."""


@shadow.command()
@click.option("--candidate", metavar="HASH", help="Which candidate; else the latest one.")
@click.option("--active", metavar="HASH", help="Beside which active bundle; else the latest one.")
@_JSON
@pass_session
def report(session: Session, candidate: str | None, active: str | None, as_json: bool) -> int:
    """Show what was different since the candidate runs; exit code 1 if anything."""
    from tamis.kafka.reader import read_topic
    from tamis.records.differences import decode_differences, total

    settings = session.settings
    decoded = (
        decode_differences(each.value or b"") for each in read_topic(settings.kafka, settings.topic("rules.shadow"))
    )
    records = [
        each
        for each in decoded
        if each is not None and candidate in (None, each.candidate) and active in (None, each.active)
    ]
    if not records:
        raise SetupError("nothing was compared yet: no candidate, or no events since it runs")
    last = max(records, key=lambda each: each.at)
    pair = (last.active, last.candidate)
    found = total(each for each in records if (each.active, each.candidate) == pair)
    return tell(found, *pair, as_json=as_json)


@shadow.command()
@_JSON
@pass_session
def stop(session: Session, as_json: bool) -> None:
    """Take the candidate away; shadow rules of the active bundle are still compared."""
    from tamis.cli.rules_publish import move

    topic = open_topic(session)
    before = topic.found.pointer(SHADOW)
    if before is None or not before.hash:
        say(as_json, "there is no candidate", {"changed": False})
        return
    move(topic, "", SHADOW, [])
    say(as_json, f"{before.hash} is no candidate any more", {"hash": before.hash, "changed": True})


def tell(found: "Differences", active: str, candidate: str, *, as_json: bool) -> int:
    """Differences for people or for programs; gives the exit code."""
    rows = sorted(found.changes.items(), key=lambda each: (-each[1], each[0]))
    answer = {
        "active": active, "candidate": candidate, "events": found.events, "differing": found.differing,
        "changes": [{**change._asdict(), "events": n} for change, n in rows],
    }  # fmt: skip
    share = f"{found.differing / found.events:.2%}" if found.events else "none"
    lines = [f"{candidate} against {active}: {found.events:,} events, {found.differing:,} differ ({share})"]
    for change, n in rows:
        rule = _arrow(change.rule or "unplanned", change.candidate_rule or "unplanned")
        stage = _arrow(change.stage or "-", change.candidate_stage or "-")
        place = change.destination or "(outcome)"
        lines.append(f"  {n:>10,}  {rule}  [{stage}]  {place}: {_arrow(change.verdict, change.candidate_verdict)}")
    say(as_json, "\n".join(lines), answer)
    return FOUND_SOMETHING if found.differing else 0


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"
