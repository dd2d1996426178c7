"""``tamis quarantine replay``: refused records go again to where they came from, once what refused them is mended.

Rules: needs the root key; the audit is told before anything is opened; a run that is killed is run again. Exit codes: 0
done, 1 nothing was sent, 2 wrong usage or configuration, 75 the cluster is out of reach.
"""

import sys
from typing import TYPE_CHECKING, Any

import click

from tamis.cli.quarantine_filters import filters, progress, wanted_of
from tamis.cli.session import FOUND_SOMETHING, Session, pass_session

if TYPE_CHECKING:
    from tamis.services.quarantine.replay import Replay
    from tamis.services.quarantine.replay_plan import Plan


@click.command()
@filters
@click.option("--dry-run", is_flag=True, help="Open and judge, send nothing. The audit is told of it all the same.")
@click.option("--all", "refused_too", is_flag=True, help="Send also what would be refused again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; needs --yes or --dry-run.")
@pass_session
def replay(session: Session, /, dry_run: bool, refused_too: bool, yes: bool, as_json: bool, **chosen: Any) -> int:
    """Send refused records again after a repair: each once, however often this is run, also after a kill.

    A record goes to the partition it came from. What was accepted of it before is found as a duplicate there; where
    that may be forgotten, and where an event states no time of its own, the record is not sent.
    """
    from tamis.services.quarantine.replay import Replay

    ask = not (yes or dry_run)
    if ask and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("give --yes to send without being asked, or --dry-run")
    run = Replay(session.settings, wanted_of(chosen), refused_too=refused_too, dry=dry_run)
    plan = run.plan(progress("entries read"))
    planned = plan.count()
    if planned and ask:
        click.confirm(f"{planned:,} records may be sent again; go on?", abort=True)
    run.run(plan, told=progress("records sent"))
    _tell(run, plan, planned, dry_run=dry_run, as_json=as_json)
    return 0 if run.sent else FOUND_SOMETHING


def _tell(run: "Replay", plan: "Plan", planned: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        import msgspec

        skipped = {skip.name.lower(): count for skip, count in plan.skipped.items()}
        answer = {"sent": run.sent, "chosen": planned, "dry_run": dry_run, "skipped": skipped}
        click.echo(msgspec.json.encode(answer).decode())
        return
    verb = "would be sent again" if dry_run else "sent again"
    click.echo(f"{run.sent:,} records {verb}")
    for skip, count in plan.skipped.most_common():
        click.echo(f"{count:,} not: {skip.value}")
