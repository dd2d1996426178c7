"""What was refused is listed without a payload, opened only under audit, and sent again once, also under kills."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tamis.domain.audit.requests import ENROLMENT_LABEL, LookReason, QuarantineLook, decode_request, enrolment_key
from tamis.kafka.loading import Outgoing
from tamis.kafka.reader import read_topic
from tamis.keys.provider import open_keys
from tamis.records.metrics import Window, WindowCell, encode_metric
from tamis.records.topics import Topic
from tests.support.system import System, now_ms
from tests.support.told import told
from tests.support.traffic import canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster
    from tests.support.process import Process

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

WHO = "visitor-zoe-in-quarantine"
YES = {"analytics": "granted", "marketing": "granted"}
RECORDS = 1_000  # more than a few transactions of a replay
KILLS = 2
AT = stamp(now_ms() - 5_000)
UNDATED = "events.raw/0/2/0"


def call(message_id: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": "newsletter_signup", "anonymousId": WHO, "messageId": message_id, "timestamp": AT,
        **more,
    }  # fmt: skip


def pair(number: int) -> bytes:
    return encoded({"batch": [call(f"pair-{number}-a"), call(f"pair-{number}-b")]})


@pytest.fixture(scope="module")
def system(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(kafka, tmp_path_factory.mktemp("quarantine"), raw_partitions=2) as system:
        system.start("replica")
        strict = system.start("worker", "--role", "all", under=["env", "TAMIS_LIMITS__MAX_EVENTS_PER_RECORD=1"])
        system.say(canonical(WHO, YES, now_ms() - 86_400_000))
        system.wait_for_consent()
        system.send([encoded(call("good")), b'{"broken', encoded(call("good", event="other")), b"{}"])
        undated = encoded({"batch": [{**call("undated"), "timestamp": None}, call("dated")]})
        system.send([undated], [("endpoint", b"https://t.example.test/?uid=" + WHO.encode())])
        system.send([encoded(call("pair-1-a"))])
        system.send(pair(number) for number in range(RECORDS))
        system.wait_for_intake()
        assert strict.stop() == 0
        yield system


@pytest.fixture(scope="module")
def worker(system: System) -> Process:
    return system.start("worker", "--role", "all")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def looks(system: System) -> list[QuarantineLook]:
    public = enrolment_key(open_keys(system.settings).derive(ENROLMENT_LABEL)).public_key().public_bytes_raw()
    asked = [decode_request(record.value or b"", public) for record in system.read(Topic.AUDIT_REQUESTS)]
    return [each for each in asked if isinstance(each, QuarantineLook)]


def test_list_and_summary_tell_what_and_why_but_no_content(system: System) -> None:
    listed = told(system, "quarantine", "list", "--json", "--reason", "not_json", "--since", "1h")
    (entry,) = lines(listed.stdout)
    assert (entry["reason"], entry["topic"], entry["has_original"]) == ("not_json", "events.raw", True)
    table = told(system, "quarantine", "list", "--limit", "7")
    assert len(table.stdout.splitlines()) == 8, table.stderr
    assert "more than 7" in table.stderr
    summary = told(system, "quarantine", "summary", "--by", "reason", "--by", "source", "--json")
    assert {row["reason"]: row["entries"] for row in lines(summary.stdout)} == {
        "too_many_events": RECORDS + 1, "not_json": 1, "unknown_envelope": 1, "conflict": 1,
    }  # fmt: skip
    for said in (listed, table, summary, told(system, "quarantine", "summary")):
        assert said.returncode == 0, said.stderr
        assert "zoe" not in said.stdout + said.stderr
        assert "sealed" not in said.stdout
    assert not looks(system), "nothing was opened"
    nothing = told(system, "quarantine", "list", "--partition", "0", "--until", "2026-01-01T00:00:00Z")
    assert (nothing.returncode, nothing.stdout) == (1, "")


def test_show_tells_the_audit_first_and_masks_what_it_opens(system: System) -> None:
    listed = lines(told(system, "quarantine", "list", "--json", "--limit", "5000").stdout)
    (undated,) = (each for each in listed if each["position"] == UNDATED)
    masked = told(system, "quarantine", "show", UNDATED, "--why", "debug")
    assert masked.returncode == 0, masked.stderr
    assert "zoe" not in masked.stdout
    assert "anonymousId" in masked.stdout
    assert "endpoint: <text of" in masked.stdout, masked.stdout
    assert "can be used" in masked.stdout
    shown = told(system, "quarantine", "show", UNDATED, "--why", "data-subject", "--reveal", "--json")
    (answer,) = lines(shown.stdout)
    assert json.loads(answer["value"])["batch"][1]["anonymousId"] == WHO
    assert answer["headers"]["endpoint"].endswith(WHO)
    found = looks(system)
    assert [(each.reason, each.count) for each in found] == [(LookReason.DEBUG, 1), (LookReason.DATA_SUBJECT, 1)]
    assert {f"{each.partition}/{each.first}" for each in found} == {undated["stored_at"]}
    assert len({each.by for each in found}) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "events.raw/0/999999999", "--why", "debug"), 2, "holds no entry"),
        (("show", "somewhere", "--why", "debug"), 2, "TOPIC/PARTITION/OFFSET"),
        (("show", "events.raw/0/1"), 2, "--why"),
        (("list", "--since", "yesterday"), 2, "neither a time"),
        (("list", "--since", "1h", "--until", "2h"), 2, "--since must be before"),
        (("list", "--reason", "nonsense"), 2, "nonsense"),
        (("summary", "--by", "email"), 2, "email"),
        (("replay",), 2, "--yes"),
    ],
)
def test_wrong_usage_is_told_plainly(system: System, arguments: tuple[str, ...], code: int, words: str) -> None:
    before = len(looks(system))
    said = told(system, "quarantine", *arguments)
    assert said.returncode == code, said.stderr
    assert words in said.stderr
    assert "Traceback" not in said.stderr
    assert len(looks(system)) == before, "a look that never came to be is not told"


def test_a_dry_run_sends_nothing(system: System) -> None:
    ends = sum(1 for _ in system.read(Topic.EVENTS_RAW))
    said = told(system, "quarantine", "replay", "--dry-run", "--json")
    assert said.returncode == 0, said.stderr
    (answer,) = lines(said.stdout)
    assert (answer["sent"], answer["dry_run"]) == (RECORDS, True)
    assert answer["skipped"] == {"conflict": 1, "refused": 2, "undated": 1}
    assert sum(1 for _ in system.read(Topic.EVENTS_RAW)) == ends


@pytest.mark.usefixtures("worker")
def test_a_replay_that_is_killed_sends_each_record_once(system: System) -> None:
    before = sum(1 for _ in system.read(Topic.EVENTS_RAW))
    sent = 0
    for _ in range(KILLS):
        run = system.start("quarantine", "replay", "--yes", "--json")
        run.stopped = True
        system.wait_until(partial(moved, system, run, sent), "a transaction of the replay")
        run.kill()
        system.wait_for_open_transactions(Topic.QUARANTINE_REPLAYS)
        sent = notes(system)
    last = told(system, "quarantine", "replay", "--yes", "--json")
    assert last.returncode == (1 if sent == RECORDS else 0), last.stderr
    again = told(system, "quarantine", "replay", "--yes", "--json")
    assert again.returncode == 1, "nothing is left to send"
    assert lines(again.stdout)[0]["skipped"]["replayed"] == RECORDS
    system.wait_for_open_transactions(Topic.EVENTS_RAW)
    assert sum(1 for _ in system.read(Topic.EVENTS_RAW)) - before == RECORDS
    system.wait_for_intake()
    fates: Counter[tuple[str, str]] = Counter()
    for (partition, offset, index), leaf in system.leaves().items():
        assert leaf["src"] == {"t": "events.raw", "p": partition, "o": offset, "i": index}
        fates[leaf["out"], leaf["why"]] += 1
    assert fates["duplicate", "duplicate"] == 1, "pair-1-a had come alone before; all others are new"
    assert fates["accepted", "granted"] == 2 + 2 * RECORDS - 1
    assert {each.reason for each in looks(system)} >= {LookReason.REPLAY}
    found = system.read_back()
    assert found.sound(), found


def test_intake_pauses_when_too_much_is_refused_and_resumes_when_told(system: System, worker: Process) -> None:
    system.wait_for_intake()
    assert told(system, "resume", "--status") == (0, "intake is not paused\n", "")
    minute = now_ms() // 60_000 - 1
    cells = (WindowCell("invalid", "not_json", 30_000, 0.0), WindowCell("accepted", "granted", 10_000, 0.0))
    window = encode_metric(Window(series="-/-", minute=minute, cells=cells))
    system.load(Topic.METRICS_WINDOWS, [Outgoing(0, b"-/-", window)])
    system.wait_until(lambda: told(system, "resume", "--status").returncode == 1, "the pause", 60.0)
    system.wait_until(lambda: "intake paused" in worker.said(), "the worker to obey", 60.0)
    decided = len(system.leaves())
    system.send([encoded(call("while-paused"))])
    assert told(system, "resume", "--status", "--json").returncode == 1
    assert len(system.leaves()) == decided, "nothing is decided"
    resumed = told(system, "resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "events were refused (7" in resumed.stdout
    system.wait_for_intake()
    assert len(system.leaves()) == decided + 1
    assert told(system, "resume").returncode == 1, "it is not paused any more"


def moved(system: System, run: Process, sent: int) -> bool:
    return run.exit_code() is not None or notes(system) > sent


def notes(system: System) -> int:
    return sum(1 for _ in read_topic(system.settings.kafka, system.topic(Topic.QUARANTINE_REPLAYS)))
