"""What the reference consumer keeps: each event once, nothing that was retracted, in whatever order it comes."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = Path(__file__).resolve().parents[3] / "examples" / "crm_consumer" / "store.py"
_SPEC = importlib.util.spec_from_file_location("crm_store", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
crm_store: Any = importlib.util.module_from_spec(_SPEC)
sys.modules["crm_store"] = crm_store
_SPEC.loader.exec_module(crm_store)

EVENTS, RETRACTIONS = "crm.hubspot", "crm.retractions"
WHO = "v1.hubspot.1.a"


class Desk:
    """A store and what is read into it; offsets grow by themselves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = crm_store.Store(str(path), "hubspot", RETRACTIONS)
        self._offsets = {EVENTS: 0, RETRACTIONS: 0}

    def read(self, topic: str, *values: dict[str, Any]) -> tuple[int, int, int, int]:
        records = []
        for value in values:
            records.append(crm_store.Record(topic, 0, self._offsets[topic], json.dumps(value).encode()))
            self._offsets[topic] += 1
        self.last = records
        return tuple(self.store.apply(records))  # type: ignore[return-value]

    def usable(self) -> list[str]:
        with sqlite3.connect(self.path) as database:
            return [row[0] for row in database.execute("SELECT event_id FROM usable ORDER BY event_id")]

    def kept(self) -> int:
        with sqlite3.connect(self.path) as database:
            return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "crm.sqlite")
    yield made
    made.store.close()


def event(name: str, at: int = 10, subject: str = WHO, **more: Any) -> dict[str, Any]:
    return {"event_id": name, "subject": subject, "occurred_at": at, "name": "x", "fields": {}} | more


def retraction(at: int, reason: str = "withdrawn", subject: str = WHO, destination: str = "hubspot") -> dict[str, Any]:
    return {
        "subject": subject, "destination": destination, "purposes": ["marketing"], "effective_at": at, "reason": reason,
    }  # fmt: skip


def test_each_event_is_kept_once(desk: Desk) -> None:
    assert desk.read(EVENTS, event("a"), event("b"), event("a")) == (2, 1, 0, 0)
    assert desk.read(EVENTS, event("b")) == (0, 1, 0, 0)
    assert desk.usable() == ["a", "b"]


def test_records_that_were_applied_change_nothing(desk: Desk) -> None:
    desk.read(EVENTS, event("a"))
    again = desk.last
    desk.read(RETRACTIONS, retraction(50))
    assert tuple(desk.store.apply(again)) == (0, 0, 0, 0)
    assert desk.usable() == []
    assert (desk.store.next_offset(EVENTS, 0), desk.store.next_offset(EVENTS, 1)) == (1, None)


def test_a_batch_that_fails_leaves_nothing(desk: Desk) -> None:
    broken = [crm_store.Record(EVENTS, 0, 0, json.dumps(event("a")).encode()), crm_store.Record(EVENTS, 0, 1, b"{")]
    with pytest.raises(json.JSONDecodeError):
        desk.store.apply(broken)
    assert (desk.usable(), desk.store.next_offset(EVENTS, 0)) == ([], None)


@pytest.mark.parametrize("first", ["events", "retraction"])
def test_what_a_retraction_covers_goes_in_either_order(desk: Desk, first: str) -> None:
    events = [event("before", 49), event("at", 50), event("after", 51), event("other", 10, "v1.hubspot.1.b")]
    if first == "events":
        desk.read(EVENTS, *events)
        assert desk.read(RETRACTIONS, retraction(50)) == (0, 0, 0, 1)
    else:
        assert desk.read(RETRACTIONS, retraction(50)) == (0, 0, 0, 0)
        assert desk.read(EVENTS, *events) == (2, 0, 2, 0)
    assert desk.usable() == ["after", "other"]


def test_erasure_is_for_ever(desk: Desk) -> None:
    desk.read(EVENTS, event("a"))
    desk.read(RETRACTIONS, retraction(50, "erasure"), retraction(60))
    desk.read(EVENTS, event("b", 70))
    assert (desk.usable(), desk.kept()) == ([], 0)
    desk.store.forget(1 << 50)
    desk.read(EVENTS, event("c", 80))
    assert desk.usable() == []


def test_a_restriction_keeps_and_blocks(desk: Desk) -> None:
    desk.read(EVENTS, event("a"))
    desk.read(RETRACTIONS, retraction(50, "restriction"))
    assert desk.read(EVENTS, event("b", 40)) == (0, 0, 1, 0)
    assert (desk.usable(), desk.kept()) == ([], 2)


def test_retractions_of_others_are_passed_over(desk: Desk) -> None:
    desk.read(EVENTS, event("a"))
    desk.read(RETRACTIONS, retraction(50, destination="marketo"), retraction(50, subject="v1.hubspot.1.unknown"))
    assert desk.usable() == ["a"]


def test_a_rotation_carries_over_what_is_held(desk: Desk) -> None:
    desk.read(EVENTS, event("a"), event("b", 20, "v1.hubspot.2.a", pid_prev=WHO))
    desk.read(RETRACTIONS, retraction(50, subject="v1.hubspot.2.a"))
    assert desk.usable() == []


def test_old_ids_are_forgotten(desk: Desk) -> None:
    desk.read(EVENTS, event("a", 10), event("b", 100))
    desk.store.forget(50)
    assert desk.read(EVENTS, event("b", 100)) == (0, 1, 0, 0)
