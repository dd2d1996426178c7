"""Bundles for tests: the shipped configuration folders, and bundles of a few lines of YAML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.domain.event import Event

CONFIG = Path(__file__).resolve().parents[2] / "config"


@cache
def reference_bundle() -> Bundle:
    """The bundle of config/reference."""
    return loaded(CONFIG / "reference")


@cache
def minimal_bundle() -> Bundle:
    """The bundle of config/minimal."""
    return loaded(CONFIG / "minimal")


def loaded(folder: Path) -> Bundle:
    """The bundle of a folder that must be valid."""
    found = load_bundle(folder)
    assert isinstance(found, Bundle), [str(problem) for problem in found]
    return found


def event(name: str = "Event", kind: str = "track", properties: dict[str, Any] | None = None, **context: Any) -> Event:
    """An event with the parts that conditions and fields look at."""
    return Event("m-1", kind, name, 1, 1, "device-1", "user-1", properties or {}, context, None, "segment")
