"""What a view of a running system shows, computed from two looks at its processes.

Rules: pure; a rate is what counters gained between the looks, process by process, and a counter that fell began anew;
gauges are those of the second look; the worst process speaks for all where that is what matters (consent age, minutes).
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

import msgspec

from tamis.records.alert import Alert
from tamis.telemetry import catalogue
from tamis.telemetry.exposition import Scrape

_EVENTS = catalogue.EVENTS.name


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint: its address, what runs there, or why it does not answer."""

    address: str
    roles: str = ""
    version: str = ""
    trouble: str = ""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """Events with one outcome and reason: since their processes began, and a second now (None before a second look)."""

    outcome: str
    reason: str
    events: int
    per_s: float | None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at all endpoints.

    Attributes:
        at_s: monotonic clock.
        scrapes: address -> what it showed.
        troubles: address -> why it did not answer.
    """

    at_s: float
    scrapes: Mapping[str, Scrape]
    troubles: Mapping[str, str]


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the system.

    Attributes:
        at_ms: wall clock.
        processes: by address.
        events_per_s: decided now; None before a second look.
        fates: by outcome and reason, most frequent first.
        lag: topic -> records behind.
        consent_age_s: of the worker that knows least; None: unknown, or no worker.
        consent_bound_s: above it intake waits; None without a worker.
        waits: why intake waits, empty when it does not.
        windows_behind_s: time since the end of the last closed minute; None: unknown.
        residual: events that are not accounted for.
        unsealed: audit records that no sealer has read yet; None: no sealer is asked.
        refused: checks for which audit logs are sealed no further.
        incidents: open ones, as in ``alerts``; None while they could not be read.
        incidents_trouble: why they could not be read.
        incidents_open: number of open incidents as the processes show them.
    """

    at_ms: int
    processes: tuple[Process, ...]
    events_per_s: float | None
    fates: tuple[Fate, ...]
    lag: dict[str, int]
    consent_age_s: float | None
    consent_bound_s: float | None
    waits: tuple[str, ...]
    windows_behind_s: float | None
    residual: int
    unsealed: int | None
    refused: tuple[str, ...]
    incidents: tuple[Alert, ...] | None
    incidents_trouble: str
    incidents_open: int


def sight(
    at_ms: int, before: Look | None, now: Look, incidents: tuple[Alert, ...] | None = None, trouble: str = ""
) -> Sight:
    """The state after the look ``now``.

    Args:
        at_ms: wall clock.
        before: an earlier look, for rates.
        now: the look.
        incidents: open ones read from ``alerts``, None if that failed.
        trouble: why it failed.
    """
    scrapes = now.scrapes.values()
    fates = tuple(_fates(before, now))
    return Sight(
        at_ms=at_ms,
        processes=tuple(_processes(now)),
        events_per_s=None if before is None else sum(fate.per_s or 0.0 for fate in fates),
        fates=fates,
        lag={topic: int(n) for topic, n in sorted(_sums(scrapes, catalogue.LAG.name, "topic").items())},
        consent_age_s=_worst(scrapes, catalogue.CONSENT_AGE.name),
        consent_bound_s=_worst(scrapes, catalogue.CONSENT_BOUND.name),
        waits=tuple(reason for reason, n in sorted(_sums(scrapes, catalogue.GATE.name, "reason").items()) if n),
        windows_behind_s=_worst(scrapes, catalogue.WINDOWS_BEHIND.name),
        residual=int(sum(_values(scrapes, catalogue.RESIDUAL.name))),
        unsealed=None if (behind := _worst(scrapes, catalogue.SEALER_BEHIND.name)) is None else int(behind),
        refused=tuple(
            check for check, n in sorted(_sums(scrapes, catalogue.SEALER_REFUSED.name, "check").items()) if n
        ),
        incidents=incidents,
        incidents_trouble=trouble,
        incidents_open=int(sum(_values(scrapes, catalogue.INCIDENTS_OPEN.name))),
    )


def _processes(look: Look) -> Iterator[Process]:
    for address in sorted({*look.scrapes, *look.troubles}):
        if address in look.troubles:
            yield Process(address=address, trouble=look.troubles[address])
            continue
        about: dict[str, str] = next((labels for labels, _ in look.scrapes[address].of(catalogue.WORKER_INFO.name)), {})
        yield Process(address=address, roles=about.get("roles", ""), version=about.get("version", ""))


def _fates(before: Look | None, now: Look) -> Iterator[Fate]:
    totals: dict[tuple[str, str], float] = {}
    gained: dict[tuple[str, str], float] = {}
    for address, scrape in now.scrapes.items():
        earlier = None if before is None else before.scrapes.get(address)
        for (name, labels), value in scrape.samples.items():
            if name != _EVENTS:
                continue
            found = dict(labels)
            fate = found.get("outcome", ""), found.get("reason", "")
            totals[fate] = totals.get(fate, 0.0) + value
            if earlier is not None:  # a process seen for the first time has no rate yet
                was = earlier.samples.get((name, labels), 0.0)
                gained[fate] = gained.get(fate, 0.0) + (value - was if value >= was else value)
    seconds = None if before is None else max(now.at_s - before.at_s, 1e-3)
    for (outcome, reason), events in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
        per_s = None if seconds is None else gained.get((outcome, reason), 0.0) / seconds
        yield Fate(outcome=outcome, reason=reason, events=int(events), per_s=per_s)


def _values(scrapes: Iterable[Scrape], name: str) -> Iterator[float]:
    return (value for scrape in scrapes for _, value in scrape.of(name))


def _sums(scrapes: Iterable[Scrape], name: str, label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for scrape in scrapes:
        for labels, value in scrape.of(name):
            key = labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + value
    return sums


def _worst(scrapes: Iterable[Scrape], name: str) -> float | None:
    """The largest; None when there is none or one of them is infinite, which is how processes say "unknown"."""
    worst = max(_values(scrapes, name), default=None)
    return worst if worst is not None and isfinite(worst) else None
