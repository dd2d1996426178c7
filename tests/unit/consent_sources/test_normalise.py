"""Batches of consent.raw: changes by partition, quarantine, heartbeats behind what they speak for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.normalise import HEARTBEAT_MS, Door, Normalised, Normaliser, NormaliserState
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.bundle import Policy
from tamis.domain.consent.model import HEARTBEAT_KEY, ChangesHeartbeat, ConsentChange, Status
from tamis.domain.identity import SubjectKeys
from tamis.domain.quarantine import QuarantineEntry, QuarantineSealer, open_entry

KEYS = SubjectKeys(b"k" * 32)
PARTITIONS = 3
T = 1_795_000_000_000


class Raw(msgspec.Struct):
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def place(key: bytes, partitions: int) -> int:
    return key[0] % partitions


def normaliser() -> Normaliser:
    policy = Policy(purposes=("analytics",), aliases={"analytics": "analytics"})
    sealer = QuarantineSealer(lambda day: day.encode().ljust(32, b"."), b"p" * 32)
    return Normaliser(
        ConsentReader(), Keying(policy, KEYS), sealer,
        door=Door(topic="consent.raw", of=2), partitions=PARTITIONS, partition_of=place,
    )  # fmt: skip


def consent(person: str, **changed: Any) -> bytes:
    body = {"type": "consent", "identity": {"person": person}, "choices": {"analytics": "granted"}, "effective_at": T}
    return orjson.dumps(body | changed)


def run(values: Sequence[tuple[int, bytes | None]], state: NormaliserState | None = None, clock: int = 0) -> Normalised:
    records = [Raw(100 + number, timestamp, value) for number, (timestamp, value) in enumerate(values)]
    return normaliser().batch(1, records, clock, state if state is not None else NormaliserState())


def beats(out: Normalised) -> dict[int, list[int]]:
    return {
        number: [msgspec.json.decode(v, type=ChangesHeartbeat).clock for k, v in records if k == HEARTBEAT_KEY]
        for number, records in out.changes.items()
    }


def test_changes_go_to_the_partition_of_their_subject() -> None:
    out = run([(T + 1, consent("u-1")), (T + 2, consent("u-2"))])
    for person in ("u-1", "u-2"):
        key = KEYS.person(person).encode()
        found = [v for k, v in out.changes[place(key, PARTITIONS)] if k == key]
        change = msgspec.json.decode(found[0], type=ConsentChange)
        assert (change.subject, change.choices) == (key.decode(), {"analytics": Status.GRANTED})
    assert out.counts == {"changes": 2}


def test_the_heartbeat_lies_behind_the_changes_in_every_partition() -> None:
    out = run([(T + 1, consent(f"u-{number}")) for number in range(20)] + [(T + 9, consent("u-x"))])
    assert sorted(out.changes) == [0, 1, 2]
    for records in out.changes.values():
        assert [k == HEARTBEAT_KEY for k, _ in records].index(True) == len(records) - 1
    assert beats(out) == {number: [T + 9] for number in range(PARTITIONS)}
    beat = msgspec.json.decode(out.changes[0][-1][1], type=ChangesHeartbeat)
    assert (beat.partition, beat.of) == (1, 2)


def test_heartbeats_are_spaced_while_there_is_traffic() -> None:
    state = NormaliserState()
    assert beats(run([(T, consent("u"))], state))[0] == [T]
    assert beats(run([(T + HEARTBEAT_MS - 1, consent("u"))], state)).get(0, []) == []
    assert beats(run([(T + HEARTBEAT_MS, consent("u"))], state))[0] == [T + HEARTBEAT_MS]


def test_an_empty_batch_moves_the_clock_and_says_so() -> None:
    state = NormaliserState()
    assert beats(run([], state, clock=T)) == {number: [T] for number in range(PARTITIONS)}
    assert beats(run([], state, clock=T + 1))[2] == [T + 1]
    assert run([], state, clock=T + 1).changes == {}, "the clock stood still: nothing to tell"


def test_the_clock_never_goes_back() -> None:
    state = NormaliserState()
    run([(T + 5_000, consent("u"))], state)
    out = run([(T, consent("u", effective_at=T + 9_000))], state)
    change = msgspec.json.decode(next(iter(out.changes.values()))[0][1], type=ConsentChange)
    assert (change.recorded_at, change.effective_at) == (T + 5_000, T + 5_000)


def test_what_cannot_be_read_is_quarantined_encrypted() -> None:
    bad = b'{"type":"consent","identity":{"person":"ada@example.com"},"choices":5,"effective_at":1795000000000}'
    out = run([(T, consent("u")), (T, bad), (T, None)])
    assert out.counts == {"changes": 1, "invalid/wrong_type": 1, "invalid/empty": 1}
    entries = [msgspec.json.decode(value, type=QuarantineEntry) for _, value in out.quarantine]
    assert [(e.stage, e.topic, e.partition, e.offset, e.reason, e.path) for e in entries] == [
        ("consent", "consent.raw", 1, 101, "wrong_type", "$.choices"),
        ("consent", "consent.raw", 1, 102, "empty", "$"),
    ]
    assert open_entry(entries[0], entries[0].key_id.partition("/")[2].encode().ljust(32, b".")) == bad
    assert not any(b"ada" in key + value for key, value in out.quarantine)


def test_no_raw_identity_leaves() -> None:
    out = run([(T, consent("ada@example.com", notice="ada@example.com", source="ada@example.com"))])
    assert not any(b"ada" in key + value for records in out.changes.values() for key, value in records)


def test_the_same_batch_again_gives_the_same_bytes() -> None:
    values: list[tuple[int, bytes | None]] = [(T, consent("u")), (T, b"{"), (T + 1, consent("undefined"))]
    assert run(values) == run(values)
    assert run(values).counts == Counter({"changes": 1, "invalid/not_json": 1, "ignored/no_subject": 1})


def test_a_body_of_many_refused_statements_is_kept_once() -> None:
    call = {"type": "track", "event": "Segment Consent Preference Updated"}
    body = orjson.dumps({"batch": [call] * 100, "padding": "x" * 100_000})
    out = run([(T, body), (T, body)])
    entries = [msgspec.json.decode(value, type=QuarantineEntry) for _, value in out.quarantine]
    assert len(entries) == 200
    assert [(entry.offset, entry.index) for entry in entries if entry.sealed] == [(100, 0), (101, 0)]
    assert sum(len(value) for _, value in out.quarantine) < 4 * len(body)
