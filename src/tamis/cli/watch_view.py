"""A look at the running system as a panel for a terminal, or as one plain line.

Rules: drawing has no effect; only closed words, counts, times and names of the configuration are shown; what could
steer a terminal is taken out.
"""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tamis.cli.printable import printable
from tamis.records.alert import Alert
from tamis.services.watch.sight import Fate, Sight

_COLOURS = {"accepted": "green", "denied": "yellow", "held": "cyan", "duplicate": "blue", "conflict": "magenta"}
_MOST_FATES, _MOST_INCIDENTS = 14, 12
_MINUTE_S = 60


def render(sight: Sight) -> RenderableType:
    """The whole panel."""
    parts = [_head(sight), Text(""), _fates(sight), Text(""), _behind(sight), Text(""), *_incidents(sight)]
    return Panel(Group(*parts), title="tamis watch", subtitle=_processes(sight), padding=(0, 1))


def plain_line(sight: Sight) -> str:
    """The state in one line, for logs and pipes."""
    outcomes: dict[str, int] = {}
    for fate in sight.fates:
        outcomes[fate.outcome] = outcomes.get(fate.outcome, 0) + fate.events
    answering = sum(not each.trouble for each in sight.processes)
    parts = [
        _clock(sight.at_ms),
        f"processes={answering}/{len(sight.processes)}",
        f"rate={_rate(sight.events_per_s)}/s",
        *(f"{outcome}={n}" for outcome, n in sorted(outcomes.items())),
        *(f"lag:{topic}={n}" for topic, n in sight.lag.items()),
        f"consent_age={_seconds(sight.consent_age_s)}",
        f"minutes_behind={_seconds(sight.windows_behind_s)}",
        f"unaccounted={sight.residual}",
        f"unsealed={'unknown' if sight.unsealed is None else sight.unsealed}",
        *(f"log_refused={check}" for check in sight.refused),
        f"incidents_open={sight.incidents_open if sight.incidents is None else len(sight.incidents)}",
        *(f"intake_waits={reason}" for reason in sight.waits),
    ]
    return " ".join(parts)


def incident_line(alert: Alert) -> str:
    """One incident in words."""
    owner = f", owner {alert.owner}" if alert.owner else ""
    cause = f", {alert.cause}" if alert.cause else ""
    return printable(
        f"{_clock(alert.opened_at)} {alert.severity} {alert.series} {alert.kind}: {alert.observed:.1f}/min, "
        f"usually {alert.expected:.1f}, score {alert.score:.2f}{owner}{cause}"
    )


def _head(sight: Sight) -> RenderableType:
    table = Table.grid(expand=True)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(
        Text.assemble((_rate(sight.events_per_s), "bold"), " events/s"),
        Text(f"{datetime.fromtimestamp(sight.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"),
    )
    bound = sight.consent_bound_s
    old = bound is not None and (sight.consent_age_s is None or sight.consent_age_s > bound)
    gate = Text("intake open", "green") if not sight.waits else Text(f"intake waits: {', '.join(sight.waits)}", "red")
    accounted = Text("all events accounted for", "green")
    if sight.residual:
        accounted = Text(f"{sight.residual:,} events not accounted for", "bold red")
    age = Text.assemble("consent age ", (_seconds(sight.consent_age_s), "red" if old else "bold"), "   ", gate)
    table.add_row(age, accounted)
    return table


def _fates(sight: Sight) -> RenderableType:
    if not sight.fates:
        return Text("no events decided yet", "dim")
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for name in ("outcome", "reason"):
        table.add_column(name, min_width=12, no_wrap=True)
    for name in ("events", "now /s"):
        table.add_column(name, justify="right", min_width=12)
    for fate in sight.fates[:_MOST_FATES]:
        table.add_row(*_fate(fate))
    left = sight.fates[_MOST_FATES:]
    if left:
        rest = sum(fate.per_s or 0.0 for fate in left) if sight.events_per_s is not None else None
        table.add_row(Text(f"{len(left)} more", "dim"), "", f"{sum(fate.events for fate in left):,}", _rate(rest))
    return table


def _fate(fate: Fate) -> tuple[RenderableType, ...]:
    colour = _COLOURS.get(fate.outcome, "red")
    return Text(printable(fate.outcome), colour), Text(printable(fate.reason)), f"{fate.events:,}", _rate(fate.per_s)


def _behind(sight: Sight) -> RenderableType:
    lags = "   ".join(f"{topic} {n:,}" for topic, n in sight.lag.items()) or "no worker"
    sealed = Text("no sealer is asked (--endpoint)", "dim")
    if sight.refused:
        sealed = Text(f"a log is sealed no further: {', '.join(sight.refused)}", "bold red")
    elif sight.unsealed is not None:
        sealed = Text(f"{sight.unsealed:,} records behind")
    closed = _seconds(sight.windows_behind_s)
    return Text.assemble("records behind  ", lags, "\nminutes closed  ", closed, " ago\naudit sealed    ", sealed)


def _incidents(sight: Sight) -> list[RenderableType]:
    if sight.incidents is None:
        found = f"{sight.incidents_open} open by the processes; alerts cannot be read"
        trouble = f": {printable(sight.incidents_trouble)}" if sight.incidents_trouble else " yet"
        return [Text(f"incidents: {found}{trouble}", "yellow")]
    if not sight.incidents:
        parts: list[RenderableType] = [Text("no open incident", "green")]
    else:
        parts = [
            Text(incident_line(alert), "bold red" if alert.severity == "page" else "yellow", overflow="fold")
            for alert in sight.incidents[:_MOST_INCIDENTS]
        ]
        more = len(sight.incidents) - _MOST_INCIDENTS
        parts += [Text(f"and {more} more")] if more > 0 else []
    if sight.incidents_trouble:
        parts.append(Text(f"as last read: {printable(sight.incidents_trouble)}", "yellow"))
    return parts


def _processes(sight: Sight) -> Text:
    silent = [each for each in sight.processes if each.trouble]
    answering = f"{len(sight.processes) - len(silent)} of {len(sight.processes)} processes answer"
    if not silent:
        return Text(answering)
    return Text(f"{answering}; {silent[0].address}: {printable(silent[0].trouble)}", "red")


def _rate(per_s: float | None) -> str:
    return "-" if per_s is None else f"{per_s:,.1f}" if per_s < 10 else f"{per_s:,.0f}"  # noqa: PLR2004


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{seconds:.0f}s" if seconds < 10 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f}min"


def _clock(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S}"
