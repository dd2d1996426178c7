"""A new Faust, aiokafka or mode version names what it changed under the batch transport.

When this fails: read the named functions, run the chaos tests, then `python -m tests.support.internals --write`.
"""

from __future__ import annotations

import json

import pytest
from aiokafka.consumer.fetcher import Fetcher

from tests.support import internals


def test_nothing_the_transport_overrides_or_relies_on_has_changed() -> None:
    pinned = json.loads(internals.PINS.read_text())["versions"]
    changed = internals.changes()
    assert not changed, f"{pinned} -> {internals.installed()} changed: {changed}"


def test_everything_listed_exists() -> None:
    assert [name for name, found in internals.hashes().items() if found.startswith("missing")] == []


def test_a_changed_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(Fetcher, "fetched_records", test_everything_listed_exists)
    monkeypatch.delattr(Fetcher, "end_offsets")
    assert internals.changes() == [
        "R aiokafka.consumer.fetcher:Fetcher.end_offsets",
        "R aiokafka.consumer.fetcher:Fetcher.fetched_records",
    ]
