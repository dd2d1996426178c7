"""The demo on a terminal: a panel of 80 by 24 that is drawn anew, or one plain line every few seconds.

Rules: everything shown comes from ``DemoState``; nothing sent by a producer is shown, only counts, closed words and
times; drawing has no effect. Terminals without Unicode get bars of "#".
"""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tamis.demo.ledger import OUTCOMES
from tamis.demo.state import DemoState, Incident, clock, minutes_between
from tamis.records.topics import Topic

_ALWAYS = ("accepted", "denied", "invalid")
_COLOURS = {
    "accepted": "green",
    "denied": "yellow",
    "held": "cyan",
    "duplicate": "blue",
    "conflict": "magenta",
    "invalid": "red",
}
_OUTCOME_ROWS, _MOST_INCIDENTS = 10, 3
_BAR = 22
_OUTPUTS = {
    "clean": Topic.EVENTS_CLEAN.value,
    "hubspot": "crm.hubspot",
    "marketo": "crm.marketo",
    "quarantine": Topic.EVENTS_QUARANTINE.value,
}


class Bar:
    """A horizontal bar of a share of ``_BAR`` cells."""

    def __init__(self, share: float, colour: str) -> None:
        self._cells = max(0.0, min(1.0, share)) * _BAR
        self._colour = colour

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        full = "#" if options.ascii_only else "█"
        half = "" if options.ascii_only else "▌"
        text = full * int(self._cells) + (half if self._cells % 1 >= 1 / 2 else "")
        yield Text(text or ("" if not self._cells else full if options.ascii_only else "▏"), self._colour)


def render(state: DemoState) -> RenderableType:
    """The whole panel."""
    return Panel(
        Group(_head(state), Text(""), _outcomes(state), Text(""), _outputs(state), _incidents(state), _ledger(state)),
        title="tamis demo",
        subtitle=Text(state.fault_text),
        padding=(0, 1),
    )


def _head(state: DemoState) -> RenderableType:
    table = Table.grid(expand=True)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(
        Text.assemble((f"{state.rate:,.0f}", "bold"), " events/s   ", (f"{state.incoming:,}", "bold"), " in   ",
                      f"{state.statements:,} consent statements"),
        Text(f"simulated {clock(state.at_ms)}  x{state.speed:.0f}"),
    )  # fmt: skip
    age = "" if state.consent_age_s is None else f"consent age {state.consent_age_s:.0f} s (simulated)   "
    gate = ("intake open", "green") if state.gate is None else (f"intake waits: {state.gate}", "red")
    table.add_row(Text.assemble(age, gate), Text(f"{state.progress:.0%} done"))
    return table


def _outcomes(state: DemoState) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=20)
    table.add_column(min_width=_BAR)
    table.add_column(justify="right", min_width=9)
    table.add_column(justify="right", min_width=7)
    listed = [outcome for outcome in OUTCOMES if state.outcomes[outcome] or outcome in _ALWAYS]
    reasons = sorted(state.reasons.items(), key=lambda item: -item[1])
    why_not = [key for key, _ in reasons if key[0] != "accepted"]
    shown = set(why_not[: _OUTCOME_ROWS - len(listed)])
    for outcome in listed:
        count = state.outcomes[outcome]
        table.add_row(Text(outcome, f"bold {_COLOURS[outcome]}"), *_row(count, state.decided, _COLOURS[outcome]))
        for (owner, reason), n in reasons:
            if owner == outcome and (owner, reason) in shown:
                table.add_row(Text(f"  {reason}", "dim"), *_row(n, state.decided, f"dim {_COLOURS[outcome]}"))
    return table


def _row(count: int, total: int, colour: str) -> Iterator[RenderableType]:
    share = count / total if total else 0.0
    yield Bar(share, colour)
    yield Text(f"{count:,}")
    yield Text(f"{share:.1%}")


def _outputs(state: DemoState) -> RenderableType:
    parts = [f"{name} {state.records.get(topic, 0):,}" for name, topic in _OUTPUTS.items()]
    return Text("records out:  " + "   ".join(parts), no_wrap=True, overflow="crop")


def _incidents(state: DemoState) -> RenderableType:
    if not state.incidents:
        return Text("no incident", "green")
    return Group(*[_incident(incident) for incident in state.incidents[-_MOST_INCIDENTS:]])


def _incident(incident: Incident) -> Text:
    style = "bold red" if incident.open else "green"
    return Text(incident_line(incident), style, no_wrap=True, overflow="crop")


def incident_line(incident: Incident) -> str:
    """One incident in words."""
    alert = incident.alert
    if not incident.open and alert.closed_at is not None:
        lasted = minutes_between(alert.opened_at, alert.closed_at)
        return f"{clock(alert.closed_at)} closed  {alert.series} {alert.kind} after {lasted} min"
    paged = f", pages {alert.owner}" if alert.owner else ""
    return (
        f"{clock(alert.detected_at)} OPEN  {alert.series} {alert.kind}: "
        f"{alert.observed:.1f}/min, usually {alert.expected:.1f}{paged}"
    )


def _ledger(state: DemoState) -> RenderableType:
    sums = " + ".join(f"{state.outcomes[o]:,} {o}" for o in OUTCOMES if state.outcomes[o] or o in _ALWAYS)
    verdict = Text("  balanced", "green") if state.balanced else Text("  NOT BALANCED", "bold red")
    return Text.assemble(
        f"{state.incoming:,} in = {sums} + {state.waiting:,} waiting", "\n", f"{state.leaves:,} audit leaves", verdict
    )


def plain_line(state: DemoState) -> str:
    """The state in one line, for logs and pipes."""
    sums = " ".join(f"{outcome}={state.outcomes[outcome]}" for outcome in OUTCOMES if state.outcomes[outcome])
    opened = sum(incident.open for incident in state.incidents)
    gate = f" intake_waits={state.gate.replace(' ', '_')}" if state.gate else ""
    return (
        f"{state.elapsed_s:5.1f}s simulated={clock(state.at_ms)} in={state.incoming} {sums} waiting={state.waiting} "
        f"rate={state.rate:.0f}/s leaves={state.leaves} incidents_open={opened}{gate}"
    )
