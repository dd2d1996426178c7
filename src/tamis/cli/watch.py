"""``tamis watch``: the running system in a terminal: throughput, outcomes with reasons, lag, consent age, incidents.

Rules: it only reads: the Prometheus endpoints of the processes and the topic ``alerts``; a panel on a terminal, plain
lines anywhere else. Exit codes: 0 done (``--once``), 2 wrong usage or endpoints switched off, 75 no process answers at
the start, 130 ended by Ctrl-C. A process or cluster that stops answering later is shown as such, and asked again.
"""

import time
from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click
import msgspec
from rich.console import Console
from rich.live import Live

from tamis.cli.session import Session, pass_session
from tamis.settings import UnreachableError

if TYPE_CHECKING:
    from tamis.services.watch.endpoints import Address
    from tamis.services.watch.incidents import FollowedIncidents
    from tamis.services.watch.sight import Look, Sight

_FIRST_S = 1.0  # between the two looks of ``--once``
_MOST_WORKERS = 512


def _address(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> "tuple[Address, ...]":
    from tamis.services.watch.endpoints import parse_address

    try:
        return tuple(map(parse_address, values))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, parameter) from None


@click.command(name="watch")
@click.option(
    "--endpoint", "endpoints", metavar="HOST:PORT", multiple=True, callback=_address,
    help="A process to ask; may be given several times.  [default: those of `tamis run`, from the settings]",
)  # fmt: skip
@click.option(
    "--workers",
    type=click.IntRange(1, _MOST_WORKERS),
    help="Workers of `tamis run` on this host.  [default: the setting]",
)
@click.option("--interval", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True, help="Seconds a look.")
@click.option("--once", is_flag=True, help="One state, then the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a look.")
@click.option("--alerts/--no-alerts", default=True, help="Read incidents from the topic alerts, or not.")
@pass_session
def command(
    session: Session, endpoints: "tuple[Address, ...]", workers: int | None, interval: float,
    once: bool, as_json: bool, alerts: bool,
) -> None:  # fmt: skip
    """Watch the running system; Ctrl-C ends it."""
    from tamis.services.watch.endpoints import addresses, look
    from tamis.services.watch.incidents import FollowedIncidents

    asked = endpoints or addresses(session.settings, workers)
    before = look(asked)
    if not before.scrapes:
        silent = ", ".join(f"{address} ({why})" for address, why in before.troubles.items())
        raise UnreachableError(f"no process answers: {silent}; is `tamis run` up, and with this telemetry.port?")
    followed = FollowedIncidents(session.settings) if alerts else None
    if once:
        if followed is not None:
            followed.refresh()
        time.sleep(_FIRST_S)
        with _shown(as_json, live=False) as show:
            show(_sight(before, look(asked), followed))
        return
    if followed is not None:
        followed.start(interval)
    try:
        with _shown(as_json, live=True) as show:
            _watch(asked, before, followed, interval, show)
    finally:
        if followed is not None:
            followed.stop()


def _watch(asked: Any, before: "Look", followed: "FollowedIncidents | None", interval: float, show: Any) -> None:
    from tamis.services.watch.endpoints import look

    while True:
        time.sleep(interval)
        now = look(asked)
        show(_sight(before, now, followed))
        before = now


def _sight(before: "Look", now: "Look", followed: "FollowedIncidents | None") -> "Sight":
    from tamis.services.watch.sight import sight

    at_ms = time.time_ns() // 1_000_000
    if followed is None:
        return sight(at_ms, before, now, None, "--no-alerts")
    return sight(at_ms, before, now, followed.open(), followed.trouble)


def _shown(as_json: bool, *, live: bool) -> Any:
    """A context manager that gives the function that shows a state."""
    console = Console()
    if as_json:
        return nullcontext(lambda seen: click.echo(msgspec.json.encode(seen)))
    if not console.is_terminal:
        return nullcontext(_Lines())
    if live:
        return _Panel(console)
    from tamis.cli.watch_view import render

    return nullcontext(lambda seen: console.print(render(seen)))


class _Lines:
    """Plain lines: the state, and each incident when it opens and closes."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}

    def __call__(self, seen: "Sight") -> None:
        from tamis.cli.watch_view import incident_line, plain_line

        click.echo(plain_line(seen))
        found = {alert.id: incident_line(alert) for alert in seen.incidents or ()}
        for opened in found.keys() - self._open.keys():
            click.echo(f"incident open: {found[opened]}")
        if seen.incidents is not None:
            for closed in self._open.keys() - found.keys():
                click.echo(f"incident closed: {self._open[closed]}")
            self._open = found


class _Panel:
    """The live panel; its last state stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, seen: "Sight") -> None:
        from tamis.cli.watch_view import render

        self._live.update(render(seen), refresh=True)
