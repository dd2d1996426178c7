"""What senders should not send: every event ends in its outcome, the worker stays alive, its memory stays bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tamis.demo.bench.measure import private_mb
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.process import Process
from tests.support.system import System, now_ms
from tests.support.traffic import canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

WHO = "visitor-hostile"
DISTINCT = 25_000
GROWTH_MB = 60.0
RULES = 10
SITES = 4


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(kafka, tmp_path_factory.mktemp("hostile"), raw_partitions=2) as system:
        system.start("replica")
        system.say(canonical(WHO, {"analytics": "granted", "marketing": "granted"}, now_ms() - 86_400_000))
        yield system


@pytest.fixture(scope="module")
def worker(system: System) -> Process:
    started = system.start("worker", "--role", "all")
    system.wait_for_consent()
    return started


def track(**more: Any) -> bytes:
    body = {"type": "track", "event": "wishlist_add", "anonymousId": WHO, "timestamp": stamp(now_ms())}
    return encoded(body | more)


def nested(levels: int) -> bytes:
    """A good call whose properties are nested."""
    return track(properties="@").replace(b'"@"', b'{"a":' * levels + b"1" + b"}" * levels)


def sku(number: bytes) -> bytes:
    """A good call with this text as a number in a field that goes out."""
    return track(properties={"sku": "@"}).replace(b'"@"', number)


ACCEPTED = ("accepted", "granted")

HOSTILE: dict[str, tuple[bytes | None, tuple[str, str]]] = {
    "no value": (None, ("invalid", "empty")),
    "empty value": (b"", ("invalid", "empty")),
    "10 MB": (track(properties={"x": "x" * (10 << 20)}), ("invalid", "too_large")),
    "nested 100 deep": (nested(100), ("invalid", "too_deep")),
    "nested 50,000 deep": (nested(50_000)[: 256 << 10], ("invalid", "too_deep")),
    "brackets alone": (b"[" * 50_000 + b"]" * 50_000, ("invalid", "too_deep")),
    "not UTF-8": (track(properties={"x": "@"}).replace(b"@", b"\xff\xfe\xc3"), ("invalid", "not_utf8")),
    "half a surrogate pair": (track(properties={"x": "@"}).replace(b"@", b"\\ud800"), ("invalid", "not_json")),
    "2^53 + 1": (sku(b"%d" % (2**53 + 1)), ACCEPTED),
    "2^64 + 1": (sku(b"%d" % (2**64 + 1)), ACCEPTED),
    "10^300": (track(properties={"sku": 10**300, "price": 10**300}), ACCEPTED),
    "an integer of 5,000 digits": (sku(b"7" * 5_000), ("invalid", "wrong_type")),
    "a number too large for a double": (sku(b"1e999"), ("invalid", "wrong_type")),
    "NaN": (sku(b"NaN"), ("invalid", "not_json")),
    "wrong types": (track(anonymousId={"$ne": None}), ("invalid", "wrong_type")),
    "another vendor's": (b'{"hello": "world"}', ("invalid", "unknown_envelope")),
    "501 calls": (encoded({"batch": [{"type": "track"}] * 501}), ("invalid", "too_many_events")),
    "a large batch": (encoded({"batch": [{"type": "track", "x": "x" * 3_000}] * 100}), ("invalid", "too_large")),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(100), ("invalid", "not_utf8")),
    "a year of a million": (track(timestamp="999999-01-01T00:00:00Z"), ("invalid", "bad_time")),
    "a leaf of the audit log": (b'{"src":{"p":0,"o":0,"i":0},"out":"accepted"}', ("invalid", "unknown_envelope")),
}  # fmt: skip


def test_each_hostile_record_ends_in_its_outcome(system: System, worker: Process) -> None:
    places = system.send([value for value, _ in HOSTILE.values()])
    headers = [("type", b"head"), ("endpoint", b"\xff" * 5_000), *((f"h{n}", b"x") for n in range(1_000))]
    places += system.send([track()], headers)
    system.wait_for_intake()
    leaves = system.leaves()
    wanted = {name: expected for name, (_, expected) in HOSTILE.items()} | {"headers": ACCEPTED}
    found = [(leaves[(*place, 0)]["out"], leaves[(*place, 0)]["why"]) for place in places]
    assert dict(zip(wanted, found, strict=True)) == wanted
    refused = {(e["partition"], e["offset"]): e["reason"] for e in system.values(Topic.EVENTS_QUARANTINE)}
    assert refused == {place: why for place, (out, why) in zip(places, found, strict=True) if out == "invalid"}
    sizes = [len(record.value or b"") for record in system.read(Topic.EVENTS_QUARANTINE)]
    assert max(sizes) < 1 << 20, "of what is too large the beginning is kept"
    assert worker.exit_code() is None


def test_large_integers_leave_exactly_or_not_at_all(system: System, worker: Process) -> None:
    numbers = [2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 + 1]
    places = system.send([sku(b"%d" % number) for number in numbers])
    system.wait_for_intake()
    parts = load_parts(system.settings)
    position = keyring(parts).proofs[0].position
    clean = {position(value["proof_id"])[:2]: value["fields"].get("sku") for value in system.values("events.clean")}
    assert [clean[place] for place in places] == [2**53 + 1, -(2**53) - 1, 2**63 - 1, None, None]
    assert worker.exit_code() is None


def test_a_full_batch_is_five_hundred_events(system: System, worker: Process) -> None:
    calls = [{"type": "track", "event": "wishlist_add", "anonymousId": WHO} for _ in range(498)]
    body = encoded({"batch": [*calls, {"type": "track"}, 7], "sentAt": stamp(now_ms())})
    (place,) = system.send([body])
    system.wait_for_intake()
    found = [leaf["out"] for at, leaf in sorted(system.leaves().items()) if at[:2] == place]
    assert found == ["accepted"] * 498 + ["invalid"] * 2
    assert worker.exit_code() is None


def strange(number: int) -> bytes:
    """An event in which everything a sender may choose is different from all others."""
    return encoded(
        {
            "type": "track", "event": f"name-{number}", "anonymousId": f"d-{number}", "userId": f"u-{number}",
            "messageId": f"id-{number}", "timestamp": stamp(now_ms()), "properties": {f"p{number}": number},
            "context": {
                "page": {"url": f"https://host-{number}.example.test/{number}"}, f"c{number}": {},
                "consent": {"categoryPreferences": {f"category-{number}": True}},
            },
        }
    )  # fmt: skip


def test_names_and_hosts_that_never_repeat_cost_no_series_and_little_memory(system: System, worker: Process) -> None:
    system.send(strange(number) for number in range(DISTINCT))
    system.wait_for_intake()
    before = private_mb(worker.pid)
    system.send(strange(number) for number in range(DISTINCT, 2 * DISTINCT))
    system.wait_for_intake()
    after = private_mb(worker.pid)
    assert after - before < GROWTH_MB, f"{before:.0f} MB, then {after:.0f} MB"
    series = {cell[0] for value in system.values(Topic.METRICS_PARTIALS) for cell in value["cells"]}
    sites, rules = {name.partition("/")[0] for name in series}, {name.partition("/")[2] for name in series}
    assert sites <= {"-", "other", "shop", "law"}
    assert len(series) <= SITES * (RULES + 1)
    assert not any("name-" in rule for rule in rules)
    assert worker.exit_code() is None


def test_hostile_consent_is_quarantined_and_changes_nothing(system: System, worker: Process) -> None:
    good = canonical("visitor-after", {"analytics": "granted"}, now_ms() - 1_000)
    hostile = [
        b"", b"\xff\xfe", b"[" * 50_000, b'{"type":"consent"}', b"7", b'"x"' + b" " * 900_000,
        json.dumps({"type": "consent", "identity": {"device": WHO}, "choices": [], "effective_at": 1}).encode(),
        canonical(WHO, {"analytics": "granted"}, 10**30),
    ]  # fmt: skip

    def refused() -> int:
        return sum(entry["stage"] == "consent" for entry in system.values(Topic.EVENTS_QUARANTINE))

    known = refused()
    system.say(*hostile, good)
    system.wait_for_consent()
    assert refused() - known >= len(hostile) - 2
    (one, other) = system.send([track(), track(anonymousId="visitor-after")])
    system.wait_for_intake()
    leaves = system.leaves()
    assert leaves[(*one, 0)]["out"] == "accepted", "what was said before holds"
    assert leaves[(*other, 0)]["dest"]["clean"] == "granted", "what comes after is read"
    assert worker.exit_code() is None


def test_nothing_was_lost_on_the_way(system: System, worker: Process) -> None:
    system.wait_for_counts()
    found = system.read_back()
    assert found.sound(), found
    assert found.events > 2 * DISTINCT
    assert worker.exit_code() is None
