"""Consent and events in, everything out: under `tamis run --workers 2`, each event has the fate written down for it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tamis.kafka.loading import Outgoing
from tamis.records.topics import Topic
from tamis.streaming.parts import keyring, load_parts
from tests.support.system import System, now_ms
from tests.support.traffic import PURPOSE, Fate, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 8
RECORDS = 8_000
CLOSING_S = 150.0  # a minute ends, and every partition has shown that it did
TOPICS = {"clean": "events.clean", "hubspot": "crm.hubspot", "marketo": "crm.marketo"}
OUTPUTS = (
    *TOPICS.values(), Topic.EVENTS_QUARANTINE, Topic.AUDIT_LOG, Topic.METRICS_PARTIALS, Topic.METRICS_OPEN,
    Topic.METRICS_WINDOWS, Topic.CONSENT_CHANGES, Topic.CONSENT_STATE, Topic.ALERTS,
)  # fmt: skip

Place = tuple[int, int, int]


@dataclass
class Run:
    """A finished run: what went in, and the system that processed it."""

    system: System
    statements: list[bytes]
    records: list[bytes]
    fates: dict[Place, Fate]
    people: list[str]


@pytest.fixture(scope="module")
def run(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with System(kafka, tmp_path_factory.mktemp("pipeline"), raw_partitions=PARTITIONS) as system:
        supervisor = system.start("run", "--workers", "2")
        traffic = Traffic(people=40, at_ms=now_ms())
        statements = list(traffic.statements(4))
        system.load(Topic.CONSENT_RAW, statements)
        system.wait_for_consent()
        made = list(traffic.events(RECORDS))
        system.load(Topic.EVENTS_RAW, (Outgoing(n % PARTITIONS, None, value) for n, (value, _) in enumerate(made)))
        system.wait_for_intake()
        system.wait_for_counts()
        fates = {
            (n % PARTITIONS, n // PARTITIONS, i): fate
            for n, (_, several) in enumerate(made)
            for i, fate in enumerate(several)
        }
        people = [who for who, _ in traffic.people]
        yield Run(system, [s.value for s in statements], [value for value, _ in made], fates, people)
        assert supervisor.stop() == 0, "the supervisor drains when asked to"


def leaves(system: System) -> Iterator[dict[str, Any]]:
    for value in system.values(Topic.AUDIT_LOG):
        if "src" in value:
            yield value


def test_every_event_has_the_fate_that_was_written_down(run: Run) -> None:
    found = {}
    for leaf in leaves(run.system):
        src = leaf["src"]
        assert src["t"] == "events.raw"
        found[src["p"], src["o"], src["i"]] = (leaf["out"], leaf["why"], leaf["rule"].partition("#")[0], leaf["dest"])
    expected = {at: (f.outcome, f.reason, f.rule or "-", f.destinations) for at, f in run.fates.items()}
    wrong = [(at, expected.get(at), found.get(at)) for at in expected | found if expected.get(at) != found.get(at)]
    assert not wrong, f"{len(wrong)} of {len(expected)} differ, the first: {wrong[:3]}"
    assert {f.outcome for f in run.fates.values()} == {"accepted", "denied", "invalid"}


def test_each_destination_gets_exactly_its_events_under_its_own_pseudonyms(run: Run) -> None:
    parts = load_parts(run.system.settings)
    keys = keyring(parts)
    pseudonyms: dict[str, dict[str, set[str]]] = {}
    for number, destination in enumerate(parts.bundle.destinations):
        got: Counter[Place] = Counter()
        names = pseudonyms[destination.id] = defaultdict(set)
        for record in run.system.read(destination.topic):
            value = json.loads(record.value or b"")
            place = keys.proofs[number].position(value["proof_id"])
            got[place] += 1
            assert record.key == value["subject"].encode()
            assert record.partition == place[0]
            assert value.get("rule", "") == run.fates[place].rule
            assert set(value["fields"]) <= set(destination.field_names)
            names[run.fates[place].who].add(value["subject"])
        assert got == Counter(at for at, fate in run.fates.items() if destination.id in fate.sent_to)
        assert all(len(several) == 1 for several in names.values()), "one pseudonym a person"
        assert len({p for several in names.values() for p in several}) == len(names), "no two people share one"
    assert set(pseudonyms) == set(PURPOSE)
    together = [p for names in pseudonyms.values() for several in names.values() for p in several]
    assert len(together) == len(set(together)), "no two destinations share a pseudonym"


def test_no_identity_stands_in_any_output(run: Run) -> None:
    needles = [who.encode() for who in run.people]
    for topic in OUTPUTS:
        for record in run.system.read(topic):
            text = (record.key or b"") + (record.value or b"") + repr(record.headers).encode()
            assert b"visitor-" not in text or not any(needle in text for needle in needles), topic
    assert "visitor-" not in run.system.tails()


def test_invalid_events_stand_in_quarantine_with_position_and_reason(run: Run) -> None:
    entries = run.system.values(Topic.EVENTS_QUARANTINE)
    got = Counter((e["partition"], e["offset"], e["index"], e["reason"]) for e in entries)
    assert got == Counter((*at, f.reason) for at, f in run.fates.items() if f.outcome == "invalid")


def test_the_audit_log_verifies_from_the_topic_and_from_an_export(run: Run) -> None:
    done = run.system.run("audit", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["verified"], report["leaves"]) == (True, len(run.fates))
    export = run.system.folder / "export"
    assert run.system.run("audit", "export", "--to", str(export)).returncode == 0
    done = run.system.run("audit", "verify", str(export), "--json")
    assert json.loads(done.stdout)["leaves"] == len(run.fates)


def test_read_back_finds_the_run_sound(run: Run) -> None:
    run.system.wait_until(lambda: run.system.read_back().sound(), "a sound system at rest", 30)
    found = run.system.read_back()
    assert (found.events, found.leaves) == (RECORDS, len(run.fates))
    assert found.sent == Counter(name for fate in run.fates.values() for name in fate.sent_to)


def test_a_dry_run_says_the_same_as_the_workers(run: Run) -> None:
    folder = run.system.folder
    consent, events = folder / "consent.jsonl", folder / "events.jsonl"
    consent.write_bytes(b"\n".join(run.statements))
    kept = [n for n, value in enumerate(run.records) if value]  # a line of a file cannot be empty
    events.write_bytes(b"\n".join(run.records[n] for n in kept))
    arguments = (str(events), "--config", run.system.settings.rules.folder, "--consent", str(consent), "--json")
    done = run.system.run("try", *arguments)
    assert done.returncode == 1, "some events are invalid"
    said = {}
    for line in done.stdout.splitlines():
        found = json.loads(line)
        n = kept[found["line"] - 1]
        place = (n % PARTITIONS, n // PARTITIONS, found["index"])
        said[place] = (found["outcome"], found["reason"], found.get("rule", ""), found.get("destinations", {}))
    worked = {}
    for leaf in leaves(run.system):
        rule = "" if leaf["rule"] == "-" else leaf["rule"]
        place = (leaf["src"]["p"], leaf["src"]["o"], leaf["src"]["i"])
        if leaf["why"] != "empty":
            worked[place] = (leaf["out"], leaf["why"], rule, leaf["dest"])
    assert said == worked


def test_closed_windows_sum_to_the_ledger(run: Run) -> None:
    expected: Counter[tuple[str, str, str]] = Counter()
    for fate in run.fates.values():
        series = "-/-" if fate.outcome == "invalid" else f"{fate.site}/{fate.rule or '-'}"
        expected[series, fate.outcome, fate.reason] += 1
    seen: list[Counter[tuple[str, str, str]]] = []

    def closed() -> bool:
        sums: Counter[tuple[str, str, str]] = Counter()
        for value in run.system.values(Topic.METRICS_WINDOWS):
            for outcome, reason, n, *_ in value.get("cells", ()):
                sums[value["series"], outcome, reason] += n
        seen[:] = [sums]
        return sums.total() >= len(run.fates)

    run.system.wait_until(closed, "the last minute with events to close", CLOSING_S)
    assert seen[0] == expected
    assert run.system.read_back().sound()
