"""End to end under `tamis run`: one rule's producer breaks; one alert, within minutes, told by every means; it closes.

Time is that of the records, so hours pass in seconds. A real Prometheus with the rules of `deploy/` watches the
processes meanwhile, and every query of the dashboards that has something to show has an answer.
"""

from __future__ import annotations

import random
import re
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deploy.grafana.build import INCIDENTS, queries
from tamis.kafka.loading import Outgoing
from tamis.records.topics import Topic
from tests.support.kafka.cluster import free_ports
from tests.support.prometheus import Prometheus, prometheus
from tests.support.promql import named
from tests.support.requirements import require
from tests.support.system import System
from tests.support.traffic import MINUTE_MS, SITES, canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.slow]

PARTITIONS, PEOPLE, LIMIT_S = 2, 40, 150.0
BROKEN, AFTER, END = 180, 210, 330
AT_ONCE = 30
RATES = {"newsletter_signup": ("shop", 18), "page_viewed": ("shop", 30), "quote_started": ("law", 12)}
SERIES = "shop/newsletter_signup"
PROMISED_MINUTES = 10
# What this scene must show; panels of parts that say nothing here (candidates, witnesses, spot checks) may stay empty.
SHOWN = frozenset(
    "tamis_" + name
    for name in (
        "events_total",
        "rule_events_total",
        "stage_events_total",
        "channel_events_total",
        "device_events_total",
        "rule_value_total",
        "records_sent_total",
        "quarantined_total",
        "producer_quarantined_total",
        "audit_leaves_total",
        "ledger_residual_events",
        "lag_records",
        "consent_age_seconds",
        "replica_age_seconds",
        "dedupe_events",
        "windows_closed_total",
        "alerts_total",
        "series_events",
        "series_subjects",
        "series_expected_events",
        "series_low_events",
        "series_score",
        "incident",
        "incident_open_seconds",
        "incident_sla_seconds",
        "source_watermark_lag_seconds",
        "sealer_leaves_total",
    )
)


class Scene:
    """A running system, and producers that write the minutes of a morning."""

    def __init__(self, system: System, watched: Prometheus) -> None:
        self.system, self.prometheus = system, watched
        morning = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)
        self.start_ms = int(morning.timestamp() * 1000)
        self._random, self._written = random.Random(7), 0

    def produce(self, first: int, end: int) -> None:
        """The events of these minutes; from ``BROKEN`` to ``AFTER`` the newsletter's producer is silent."""
        for start in range(first, end, AT_ONCE):
            until = min(end, start + AT_ONCE)
            self.system.load(Topic.EVENTS_RAW, self._events(start, until))
            self.system.wait_for_intake(LIMIT_S)

    def _events(self, first: int, end: int) -> Iterator[Outgoing]:
        for minute in range(first, end):
            made = [
                (site, name)
                for name, (site, rate) in RATES.items()
                if name != "newsletter_signup" or not BROKEN <= minute < AFTER
                for _ in range(max(1, round(self._random.gauss(rate, rate**0.5))))
            ]
            self._random.shuffle(made)
            for number, (site, name) in enumerate(made):
                at = self.start_ms + minute * MINUTE_MS + number * MINUTE_MS // len(made)
                self._written += 1
                yield Outgoing(self._written % PARTITIONS, None, self._event(site, name, at), at)
            yield from self._odd(self.start_ms + (minute + 1) * MINUTE_MS - 1)

    def _event(self, site: str, name: str, at: int) -> bytes:
        call = {"type": "page", "name": "Home"} if name == "page_viewed" else {"type": "track", "event": name}
        context = {"page": {"url": f"https://{SITES[site]}/p"}, "campaign": {"medium": "email", "source": "nov"}}
        who = f"visitor-{self._random.randrange(PEOPLE)}"
        return encoded(call | {"messageId": f"e-{self._written}", "anonymousId": who, "timestamp": stamp(at),
                               "context": context, "properties": {"value": 3}})  # fmt: skip

    def _odd(self, at: int) -> Iterator[Outgoing]:
        """A little of each kind of trouble, as there always is: no JSON, a broken call, a repeat, a conflict."""
        self._written, library = self._written + 1, {"library": {"name": "analytics.js", "version": "2.1.0"}}
        broken = encoded({"type": "track", "context": library})
        once = self._event("law", "quote_started", at)
        for body in (b"no json", broken, once, once, once.replace(b"quote_started", b"quote_changed")):
            yield Outgoing(0, None, body, at)

    def alerts(self) -> list[dict[str, Any]]:
        """What was told of conversions so far; that an hour of the day passed without one is another matter."""
        return [alert for alert in self.system.values(Topic.ALERTS) if alert["kind"] != "absent"]

    def states(self) -> list[tuple[str, str]]:
        """Series and state of each, without repetitions of what is open."""
        return [(alert["series"], alert["state"]) for alert in self.alerts() if alert["state"] != "updated"]

    def unanswered(self) -> set[str]:
        """Series that must be shown and are not, and queries without an answer although all their series are there."""
        counted = self.prometheus.query('count by (__name__) ({__name__=~"tamis_.*"})')
        there = {re.sub(r"_bucket$", "", each["metric"]["__name__"]) for each in counted}
        asked = {query for query in {*queries(), INCIDENTS} if named(query) <= there}
        empty = {query for query in asked if not self.prometheus.query(query.replace("$__rate_interval", "5m"))}
        return empty | (SHOWN - there)


def ports_in_a_row(count: int) -> int:
    """The first of so many ports that are free."""
    while True:
        (port,) = free_ports(1)
        if port + count < 65_536 and all(_is_free(port + number) for number in range(1, count)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def scene(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Scene]:
    require("prometheus")
    port = ports_in_a_row(3)
    options: dict[str, object] = {
        "worker.time_source": "record", "worker.empty_batch_interval_s": 0.3, "telemetry.port": port,
        "topics.metrics_partitions": 1, "consent.max_age_s": 3_600.0,
    }  # fmt: skip
    with System(kafka, tmp_path / "system", options, raw_partitions=PARTITIONS) as system:
        folder = tmp_path / "prometheus"
        folder.mkdir()
        with prometheus(folder, {"replica": port, "worker-1": port + 1, "sealer": port + 2}) as watched:
            yield Scene(system, watched)


def test_a_broken_producer_is_one_incident_that_closes_after_the_repair(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    system = scene.system
    supervisor = system.start("run", "--workers", "1")
    granted, at = {"analytics": "granted", "marketing": "granted"}, scene.start_ms - MINUTE_MS
    statements = [canonical(f"visitor-{number}", granted, at) for number in range(1, PEOPLE)]
    statements += [canonical("visitor-0", dict.fromkeys(granted, "denied"), at), canonical("anonymous", granted, at)]
    system.load(Topic.CONSENT_RAW, (Outgoing(n % 4, None, said, at) for n, said in enumerate(statements)))
    scene.produce(0, BROKEN)
    assert scene.states() == []

    scene.produce(BROKEN, AFTER)
    system.wait_until(lambda: scene.states() == [(SERIES, "open")], "one incident", LIMIT_S)
    alert = scene.alerts()[0]
    minutes = (alert["detected_at"] - scene.start_ms) / MINUTE_MS - BROKEN
    record_property("minutes_to_the_alert", minutes)
    print(f"minutes to the alert: {minutes:g}")
    assert 0 < minutes <= PROMISED_MINUTES
    assert (alert["kind"], alert["owner"]) == ("silent", "growth")
    system.wait_until(
        lambda: scene.prometheus.alerts().get("TamisIncident") == "firing", "the alert in Prometheus", LIMIT_S
    )
    (sample,) = scene.prometheus.query("tamis_incident")
    assert {name: sample["metric"][name] for name in ("site", "rule", "owner")} == {
        "site": "shop", "rule": "newsletter_signup", "owner": "growth",
    }  # fmt: skip
    left: list[set[str]] = [set()]

    def answered() -> bool:
        left[0] = scene.unanswered()
        return not left[0]

    try:
        system.wait_until(answered, "every panel to show something", 60.0)
    except TimeoutError:
        pytest.fail(f"no answer to {sorted(left[0])}")

    scene.produce(AFTER, END)
    closed = [(SERIES, "open"), (SERIES, "closed")]
    system.wait_until(lambda: scene.states() == closed, "the incident to close", LIMIT_S)
    assert len({each["id"] for each in scene.alerts()}) == 1
    system.wait_until(lambda: not scene.prometheus.query("tamis_incident"), "no open incident", LIMIT_S)
    assert scene.prometheus.query("tamis:ledger_residual_events:max1h")[0]["value"][1] == "0"
    assert system.read_back().sound()
    assert supervisor.stop() == 0, "the supervisor drains when asked to"
