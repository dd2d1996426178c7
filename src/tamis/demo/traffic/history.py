"""Past days of the same traffic as closed one-minute windows, to warm the detectors before the first event.

Rules: visits are drawn from the same plan of steps and arrive at the same rate and day shape as in the live traffic, so
a healthy run continues its history without a step; windows of a minute hold only series with events, as the window
agent writes them. Not modelled: the few late bodies; outcomes are split by the share of visitors who agreed to
statistics.
"""

from collections import defaultdict
from collections.abc import Iterator

from tamis.demo.traffic import captured
from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.plan import DAY_MINUTES, MINUTE_MS, Plan
from tamis.demo.traffic.rates import BROKEN, CAPTURED, TWICE
from tamis.demo.traffic.sessions import Step, steps
from tamis.demo.traffic.sites import SITES, Site
from tamis.domain.event import Event
from tamis.domain.sites import OTHER, site_of
from tamis.domain.tally import NO_RULE, NO_SITE
from tamis.envelopes.decoder import Decoder
from tamis.records.metrics import Window, WindowCell

POOL = 6_000  # visits of each site that history repeats in random order
AGREED, REFUSED, UNREADABLE = ("accepted", "granted"), ("denied", "denied"), ("invalid", "not_json")
_AGREE = 0.72
_LEAD_MINUTES = 30  # visits that began before the first minute

Count = tuple[int, str, tuple[str, str]]
Counts = dict[str, dict[tuple[str, str], int]]


def history_windows(plan: Plan, days: int = 3) -> Iterator[tuple[int, list[Window]]]:
    """Minutes before the plan's start, oldest first, each with the windows of its series.

    Args:
        plan: the run that follows.
        days: how many days; three working days warm every quarter of an hour.

    Yields:
        Epoch minute and its windows, also for minutes without any.
    """
    dice, requests = Dice(plan.seed + 1), captured_series()
    pools = [(site, [_visit(dice, site, requests) for _ in range(POOL)]) for site in SITES]
    first, last = plan.start_ms // MINUTE_MS - days * DAY_MINUTES, plan.start_ms // MINUTE_MS
    open_minutes: dict[int, Counts] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for minute in range(first - _LEAD_MINUTES, last):
        for site, pool in pools:
            arrivals = dice.poisson(site.sessions_per_minute * site.shape(minute))
            for visit in dice.choices(pool, k=arrivals):
                for offset, series, outcome in visit:
                    open_minutes[minute + offset][series][outcome] += 1
        counts = open_minutes.pop(minute, {})
        if minute >= first:
            yield minute, [_window(series, minute, cells) for series, cells in sorted(counts.items())]


def series_of(site: Site, step: Step) -> str:
    """The metrics series that an event of this step belongs to."""
    if step.event:
        return f"{_label(site)}/{step.rule or NO_RULE}"
    return f"{_label(site)}/{'pricing_viewed' if step.page.path.startswith('/pricing') else 'page_viewed'}"


def captured_series() -> list[list[str]]:
    """For each captured request the series of its events."""
    decoder = Decoder(bytes(32))
    found = []
    for request in captured.load():
        entries = decoder.decode(request.body.encode(), (), 0)
        events = [entry for entry in entries if isinstance(entry, Event)] if isinstance(entries, list) else []
        found.append([_series_of_event(event) for event in events])
    return found


def _series_of_event(event: Event) -> str:
    label = site_of(event, {site.host: _label(site) for site in SITES}) or OTHER
    if event.kind == "page":
        return f"{label}/{'pricing_viewed' if event.name == 'Pricing' else 'page_viewed'}"
    rules = {conversion.event: conversion.rule for site in SITES for conversion in site.conversions}
    return f"{label}/{rules.get(event.name, NO_RULE)}"


def _label(site: Site) -> str:
    return site.host.partition(".")[0]


def _visit(dice: Dice, site: Site, requests: list[list[str]]) -> list[Count]:
    outcome = AGREED if dice.happens(_AGREE) else REFUSED
    phase = dice.randrange(MINUTE_MS)
    counts: list[Count] = []
    for step in steps(dice, site):
        offset = (phase + step.after_ms) // MINUTE_MS
        counts += [(offset, series_of(site, step), outcome)] * (2 if dice.happens(TWICE) else 1)
        if step.rule == "account_created":
            counts.append((offset, f"{_label(site)}/{NO_RULE}", outcome))
        if dice.happens(BROKEN):
            counts.append((offset, f"{NO_SITE}/{NO_RULE}", UNREADABLE))
        if dice.happens(CAPTURED):
            counts += [(offset, series, REFUSED) for series in dice.choice(requests)]
    return counts


def _window(series: str, minute: int, counts: dict[tuple[str, str], int]) -> Window:
    cells = tuple(WindowCell(outcome, reason, n, 0.0) for (outcome, reason), n in sorted(counts.items()))
    return Window(series=series, minute=minute, cells=cells)
