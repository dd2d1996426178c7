"""Series are well formed, and no value from outside can make a new one."""

from __future__ import annotations

import re

import aiokafka.errors
import faust.exceptions
import pytest
from prometheus_client import CollectorRegistry

from tamis.consent_sources import keying
from tamis.domain.audit.log import AuditRefusedError
from tamis.metrics.windows import LateCellError
from tamis.services import pause_watch
from tamis.stores.consent_view import GateReason
from tamis.stores.replica import ReplicaDamagedError
from tamis.streaming.reader import ReadTimeoutError
from tamis.telemetry import catalogue
from tamis.telemetry.catalogue import CATALOGUE
from tamis.telemetry.series import OTHER, Family, Series, Vocabulary

UNITS = (
    "seconds",
    "records",
    "events",
    "subjects",
    "score",
    "bytes",
    "total",
    "info",
    "partitions",
    "sequence",
    "line",
    "closed",
    "open",
    "incident",
    "ratio",
    "samples",
    "answers",
)


@pytest.mark.parametrize("series", CATALOGUE, ids=lambda series: series.name)
def test_a_series_is_well_formed(series: Series) -> None:
    assert re.fullmatch(r"tamis_[a-z_]+", series.name)
    assert series.name.endswith((*UNITS, "refused"))
    assert (series.kind == "counter") == series.name.endswith("_total")
    assert series.help.endswith(".")
    assert (series.kind == "histogram") == bool(series.buckets)
    for label in series.labels:
        assert label.of
        assert Vocabulary().values(label) is not None
        assert label.values is None or len(set(label.values)) == len(label.values)


def test_names_are_given_once() -> None:
    names = [series.name for series in CATALOGUE]
    assert len(names) == len(set(names)) > 30


def test_the_closed_sets_are_those_of_the_code() -> None:
    assert set(catalogue.GATE_REASONS) == {*GateReason, "rules_not_loaded", pause_watch.REASON}
    (cause,) = catalogue.CONSENT_IGNORED.labels
    causes = {keying.NO_SUBJECT, keying.UNKNOWN_CATEGORY, keying.UNKNOWN_REGULATION, keying.UNDATED_GRANT}
    assert set(cause.values or ()) == causes


def test_each_fault_is_a_class() -> None:
    own = {each.__name__ for each in (AuditRefusedError, LateCellError, ReadTimeoutError, ReplicaDamagedError)}
    kafka = {name for name in catalogue.FAULTS if hasattr(aiokafka.errors, name)}
    assert set(catalogue.FAULTS) == own | kafka | {faust.exceptions.FaustError.__name__}


def test_a_value_outside_its_set_is_other() -> None:
    registry = CollectorRegistry()
    family = Family(catalogue.EVENTS, Vocabulary(), registry)
    for n in range(1_000):
        family.of("accepted", f"ada{n}@example.test").inc()
    family.of("accepted", "granted").inc()
    (metric,) = registry.collect()
    found = {tuple(s.labels.values()): s.value for s in metric.samples if s.name.endswith("_total")}
    assert found == {("accepted", OTHER): 1_000, ("accepted", "granted"): 1}


def test_samples_shown_are_only_those_asked_for() -> None:
    registry = CollectorRegistry()
    family = Family(catalogue.GATE, Vocabulary(), registry)
    family.show_only([("no_replica",), ("consent_too_old",)])
    stays = family.of("consent_too_old")
    family.show_only([("consent_too_old",), ("unheard of",)])
    assert family.of("consent_too_old") is stays
    (metric,) = registry.collect()
    assert {s.labels["reason"]: s.value for s in metric.samples} == {"consent_too_old": 1, OTHER: 1}
