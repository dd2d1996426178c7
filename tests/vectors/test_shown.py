"""``tamis decode`` shows every fact that captured requests are known to hold, and none that a client altered away."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamis.services.decoding import Showing
from tests.support.payloads import FILES, instant, load, record

KEYS = (
    "vendor", "kind", "event_id", "event_id_derived", "name", "occurred_at", "sent_at", "anonymous_id", "user_id",
    "properties", "context", "consent",
)  # fmt: skip
NOBODY = {"undefined", "00000000-0000-0000-0000-000000000000"}
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def shown(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """What is printed, through the JSON it is printed as."""
    found: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(list(Showing().events(*record(payload)))))
    return found


@EVERY
def test_every_fact_is_shown_as_it_was_sent(path: Path) -> None:
    payload = load(path)
    found = shown(payload)
    assert len(found) == len(payload["expect"])
    for event, expect in zip(found, payload["expect"], strict=True):
        assert tuple(event)[: len(KEYS)] == KEYS
        assert set(event) - set(KEYS) <= {"placeholder"}
        assert_ids(event, expect)
        assert (event["kind"], event["name"]) == (expect["kind"], expect["name"])
        assert instant(event["occurred_at"]) == instant(expect["occurred_at"])
        assert "sent_at" not in expect or instant(event["sent_at"]) == instant(expect["sent_at"])
        for key, value in expect["properties_subset"].items():
            assert (event["properties"][key], type(event["properties"][key])) == (value, type(value))
        assert event["consent"] == (expect.get("consent") or ({"gpc": True} if expect.get("gpc") else None))


def assert_ids(event: dict[str, Any], expect: dict[str, Any]) -> None:
    ids = {name: event[name] for name in ("anonymous_id", "user_id")}
    assert ids == {name: expect[name] or None for name in ids}
    assert event["event_id_derived"] is (expect["event_id"] is None)
    assert event["event_id"] == expect["event_id"] if expect["event_id"] else len(event["event_id"]) == 22
    subject = event["context"].get("subject")
    assert "subject" not in expect or subject == expect["subject"]
    named = {name for name, value in (*ids.items(), ("subject", subject)) if value in NOBODY}
    assert set(event.get("placeholder", ())) == named


def holds(found: Any, key: str, value: Any) -> bool:
    if isinstance(found, dict):
        return (key in found and found[key] == value) or any(holds(inner, key, value) for inner in found.values())
    return isinstance(found, list) and any(holds(inner, key, value) for inner in found)


@EVERY
def test_what_the_client_altered_is_not_shown_as_it_was_given(path: Path) -> None:
    payload = load(path)
    for event, expect in zip(shown(payload), payload["expect"], strict=True):
        for key, change in expect.get("client_changed", {}).items():
            assert not holds(event["properties"], key, change["given"])
            if change["given"] is not None:
                assert event.get(key) != change["given"]
