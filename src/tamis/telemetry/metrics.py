"""The Prometheus side of one process: its registry, the observers that fill it, the endpoint that shows it.

Rules: one ``Telemetry`` a process, made by whoever starts it and handed on; nothing is global. Its parts implement the
observer protocols of the transport and of the agents by shape, since those live in a higher layer. A series is there as
soon as its part is first asked for.
"""

import time
from collections.abc import Callable
from functools import cached_property

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from tamis.domain.bundle import Bundle
from tamis.domain.selection import Selection
from tamis.domain.sites import OTHER as OTHER_SITE
from tamis.domain.tally import NO_RULE, NO_SITE
from tamis.settings import TelemetrySettings
from tamis.telemetry import catalogue
from tamis.telemetry.consent import AgeTelemetry, ConsentTelemetry, ReplicaTelemetry
from tamis.telemetry.counts import MOST_LABEL_VALUES
from tamis.telemetry.edge import EdgeTelemetry
from tamis.telemetry.endpoint import Endpoint
from tamis.telemetry.incidents import IncidentTelemetry
from tamis.telemetry.intake import IntakeTelemetry
from tamis.telemetry.outside import OutsideTelemetry
from tamis.telemetry.release import ReleaseTelemetry
from tamis.telemetry.review import ReviewTelemetry
from tamis.telemetry.rules import RulesTelemetry
from tamis.telemetry.sealer import SealerTelemetry
from tamis.telemetry.series import Shelf, Vocabulary
from tamis.telemetry.windows import WindowsTelemetry

WHOLE_SITE = "*"
"""Stands for the rule where an incident is one of a whole site (``records.alert``)."""


def vocabulary(version: str, roles: str, bundle: Bundle | None = None) -> Vocabulary:
    """The label values of a process.

    Args:
        version: of the package.
        roles: joined by "+".
        bundle: the active configuration, None for a process without one.
    """
    rules = [compiled.rule for compiled in bundle.rules.rules] if bundle else []
    sites = bundle.policy.sites.values() if bundle else ()
    ids = frozenset([NO_RULE, *(rule.id for rule in rules)])
    return Vocabulary(
        rule=ids | {WHOLE_SITE},
        candidate_rule=ids,
        destination=frozenset([NO_RULE, *(each.id for each in (bundle.destinations if bundle else ()))]),
        site=frozenset([NO_SITE, OTHER_SITE, *sites]),
        owner=frozenset(["", *(rule.owner for rule in rules)]),
        version=frozenset([version]),
        bundle=frozenset([bundle.hash if bundle else ""]),
        roles=frozenset([roles]),
    )


def wall_clock() -> int:
    """Now, ms."""
    return time.time_ns() // 1_000_000


class Telemetry:
    """What one process shows.

    Args:
        words: its label values.
        prefix: what all topic names begin with.
        now: ms, the time events are judged at; called from the endpoint's thread too.
        most: values at a time of labels that are no closed set, and series shown one by one.

    Attributes:
        registry: of this process.
    """

    def __init__(
        self, words: Vocabulary, prefix: str = "", now: Callable[[], int] = wall_clock, most: int = MOST_LABEL_VALUES
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second sample a counter that nobody asks for
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._shelf = Shelf(self.registry, words)
        self._prefix = prefix
        self._now = now
        self._most = most
        self._edges: dict[str, EdgeTelemetry] = {}
        self._endpoint: Endpoint | None = None
        self._words = words
        self._info(words)

    def _info(self, words: Vocabulary) -> None:
        about = tuple(next(iter(values)) for values in (words.version, words.bundle, words.roles))
        self._shelf[catalogue.WORKER_INFO].show_only([about])

    def selected(self, selection: Selection) -> None:
        """The process goes on with these bundles: their rules, sites and destinations are label values from now on."""
        [version], [roles] = self._words.version, self._words.roles
        for bundle in (selection.candidate, selection.active):
            if bundle is not None:
                words = vocabulary(version, roles, bundle)
                self._shelf.extend(words)
        self._info(words)

    def edge(self, role: str) -> EdgeTelemetry:
        """The transport observer of a role's app; one a role."""
        found = self._edges.get(role)
        if found is None:
            found = self._edges[role] = EdgeTelemetry(self._shelf, role, self._prefix)
        return found

    @cached_property
    def intake(self) -> IntakeTelemetry:
        """The observer of the intake agent."""
        made, edge = IntakeTelemetry(self._shelf, self._now, self._most), self.edge("intake")
        edge.on_batch.append(made.records_read)
        edge.on_owned.append(made.owns)
        return made

    @cached_property
    def release(self) -> ReleaseTelemetry:
        """The observer of the release agents."""
        made, edge = ReleaseTelemetry(self._shelf, self._now), self.edge("release")
        edge.on_lag.append(made.lag)
        edge.on_owned.append(made.owns)
        return made

    @cached_property
    def rules(self) -> RulesTelemetry:
        """Told what becomes of published bundles."""
        return RulesTelemetry(self._shelf)

    @cached_property
    def review(self) -> ReviewTelemetry:
        """Told what spot checks say."""
        return ReviewTelemetry(self._shelf)

    @cached_property
    def consent(self) -> ConsentTelemetry:
        """The observer of the consent agents."""
        made = ConsentTelemetry(self._shelf, self._now)
        self.edge("consent").on_owned.append(made.owns)
        return made

    @cached_property
    def windows(self) -> WindowsTelemetry:
        """The observer of the window agent."""
        made = WindowsTelemetry(self._shelf, self._now, self._most)
        self.edge("metrics").on_owned.append(made.owns)
        return made

    @cached_property
    def incidents(self) -> IncidentTelemetry:
        """The observer of the anomaly agent."""
        made = IncidentTelemetry(self._shelf, self._now, self._most)
        self.edge("anomaly").on_owned.append(made.owns)
        return made

    @cached_property
    def replica(self) -> ReplicaTelemetry:
        """Told of the replica's progress."""
        return ReplicaTelemetry(self._shelf, self._now)

    @cached_property
    def sealer(self) -> SealerTelemetry:
        """The observer of the sealer."""
        return SealerTelemetry(self._shelf)

    @cached_property
    def outside(self) -> OutsideTelemetry:
        """Told of the sealer's witnesses and anchors."""
        return OutsideTelemetry(self._shelf)

    def age(self, bound_s: float) -> AgeTelemetry:
        """To be told the consent age every few seconds; ``bound_s`` is what closes the gate."""
        return AgeTelemetry(self._shelf, self._now, bound_s)

    def serve(self, settings: TelemetrySettings) -> int | None:
        """Start the endpoint; gives its port, or None when it is switched off (port 0).

        Raises:
            SetupError: the address cannot be bound.
        """
        if not settings.port:
            return None
        self._endpoint = Endpoint(self.registry, settings.host, settings.port)
        return self._endpoint.port

    def stop(self) -> None:
        """Close the endpoint, if there is one."""
        if self._endpoint is not None:
            self._endpoint.stop()
            self._endpoint = None
