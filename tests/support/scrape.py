"""Reads what a ``Telemetry`` shows, as Prometheus would."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(registry: CollectorRegistry) -> Samples:
    """Name and labels -> value, of our own series."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.startswith("tamis_") and not sample.name.endswith("_created")
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    """One sample."""
    return found.get((name, frozenset(labels.items())))


def scraped(port: int) -> dict[str, str]:
    """Name -> type of all families an endpoint shows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {family.name: family.type for family in text_string_to_metric_families(text)}
