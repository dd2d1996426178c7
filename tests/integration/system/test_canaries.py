"""A whole system fed with false identities in every place: none is in a topic, log, metric or file that goes on.

Only ``events.raw`` and ``consent.raw`` hold them, and ciphertext.
"""

from __future__ import annotations

import json
import urllib.request
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient

from tamis.domain.event import Event
from tamis.envelopes.decoder import Decoder
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tests.support.bundles import reference_bundle
from tests.support.canaries import Canaries, Search, kept_names, one_a_vendor, planted
from tests.support.consent_payload_samples import payloads
from tests.support.kafka.cluster import free_ports
from tests.support.payloads import FILES, KEY, RECEIVED_AT, load, record
from tests.support.system import System, now_ms
from tests.support.told import told
from tests.support.traffic import canonical, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

RAW = {Topic.EVENTS_RAW.value, Topic.CONSENT_RAW.value, "privacy.requests"}
YES = {"analytics": "granted", "marketing": "granted"}
PEOPLE = 40


class Fed:
    """A system that took all of them in, and what was planted."""

    def __init__(self, system: System, port: int) -> None:
        self.system, self.port = system, port
        self.canaries = Canaries()
        self.texts = sorted({text for path in FILES for text in load(path).get("pii") or ()})
        self.kept = kept_names(reference_bundle())

    def search(self) -> Search:
        return Search(self.canaries.made, self.texts)

    def feed(self) -> None:
        """Consents first, so that events really leave; then everything."""
        new, at = self.canaries.new, now_ms() - 86_400_000
        people = [new() for _ in range(PEOPLE)]
        known = {one for path in FILES for one in ids(path)}
        self.system.say(*(canonical(who, YES, at) for who in (*people, *sorted(known))))
        for _, body in payloads():
            self.system.say(body.replace(b"d-1", new("{}").encode()).replace(b"u-1", new().encode()))
            self.system.say(body[:-9] + new().encode(), new('{{"type": "consent", "{}": 1}}').encode())
        self.system.wait_for_consent()
        for who in people:
            self.system.send([self.call(who), self.call(who, event=new()), self.call(new(), userId=who)])
        for value, headers in planted(self.canaries, self.kept):
            self.system.send([value], headers)
        for path in FILES:
            value, headers = record(load(path))
            self.system.send([value], headers)
        self.system.wait_for_intake()

    def call(self, who: str, **more: object) -> bytes:
        """An event whose other places hold canaries too."""
        new = self.canaries.new
        context = {
            "page": {"url": new("https://shop.example.test/p?m={}"), "referrer": new("https://r.example.test/?q={}")},
            "userAgent": new("Mozilla/5.0 {} Chrome/120.0"), "traits": {"email": new(), "name": new("Zoë {}")},
            "ip": "198.51.100.7", "screen": {"deep": [[{new("{}"): new()}]]},
        }  # fmt: skip
        body = {
            "type": "track", "event": "quote_started", "anonymousId": who, "messageId": new("{}"),
            "timestamp": stamp(now_ms() - 1_000), "context": context,
            "properties": {"comment": new("call {} or +43 660 1234567"), "sku": "A-1", new("{}"): [new()]},
        }  # fmt: skip
        return encoded(body | more)


def ids(path: Path) -> Iterator[str]:
    """Devices and persons of a captured request."""
    found = Decoder(KEY).decode(*record(load(path)), RECEIVED_AT)
    for each in found if isinstance(found, list) else ():
        if isinstance(each, Event):
            yield from (one for one in (each.anonymous_id, each.user_id) if one)


@pytest.fixture(scope="module")
def fed(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    (port,) = free_ports(1)
    options: dict[str, object] = {
        "telemetry.port": port,
        "telemetry.log_level": "debug",
        "review.tagged_per_million": 1_000_000,
        "review.untagged_per_million": 1_000_000,
        "review.fields_of": "clean",
    }
    with System(kafka, tmp_path_factory.mktemp("canaries"), options, raw_partitions=2) as system:
        system.start("replica", under=["env", "TAMIS_TELEMETRY__PORT=0"])
        system.start("worker", "--role", "all")
        found = Fed(system, port)
        found.feed()
        system.wait_for_counts()
        yield found


def topics(system: System) -> list[str]:
    """All topics of this system, whoever made them."""
    admin = AdminClient({"bootstrap.servers": system.settings.kafka.bootstrap})
    return sorted(name for name in admin.list_topics(timeout=30).topics if system.prefix in name)


def test_canaries_are_where_they_may_be_and_events_went_out(fed: Fed) -> None:
    """The search finds what is there, and the run was a real one."""
    search, system = fed.search(), fed.system
    raw = list(read_topic(system.settings.kafka, system.topic(Topic.EVENTS_RAW)))
    assert sum(search.found(record.value or b"") is not None for record in raw) > 500
    assert sum(any(search.found(value or b"") for _, value in record.headers) for record in raw) >= len(one_a_vendor())
    outcomes = {leaf["out"] for leaf in system.leaves().values()}
    assert outcomes >= {"accepted", "denied", "invalid"}
    for topic in ("events.clean", "crm.hubspot", "crm.marketo", Topic.EVENTS_QUARANTINE):
        assert next(iter(system.read(topic)), None) is not None, topic


def test_no_topic_but_the_raw_ones_holds_one(fed: Fed) -> None:
    search, looked = fed.search(), 0
    for name in topics(fed.system):
        if name.removeprefix(fed.system.prefix) in RAW:
            continue
        for record_ in read_topic(fed.system.settings.kafka, name):
            looked += 1
            beside = b"".join(key.encode() + (value or b"") for key, value in record_.headers)
            for part in (record_.key or b"", record_.value or b"", beside):
                assert search.found(part) is None, f"{name}: {search.found(part)}"
    assert looked > 2_000


def test_no_file_and_no_log_holds_one(fed: Fed) -> None:
    search = fed.search()
    files = [path for path in fed.system.folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".log", ".mdb"}
    for path in files:
        assert search.found(path.read_bytes()) is None, f"{path.name}: {search.found(path.read_bytes())}"


def test_no_metric_holds_one(fed: Fed) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{fed.port}/metrics", timeout=10) as answer:
        text = answer.read()
    assert b"tamis_events_total" in text
    assert fed.search().found(text) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "list", "--limit", "100000", "--json"),
        ("quarantine", "summary", "--by", "producer", "--by", "reason", "--by", "path", "--json"),
        ("watch", "--once", "--json"),
        ("rules", "status"),
        ("keys", "list"),
        ("settings", "show"),
    ],
)
def test_no_command_prints_one(fed: Fed, arguments: tuple[str, ...]) -> None:
    said = fed.system.run(*arguments)
    assert said.stdout, said.stderr
    text = (said.stdout + said.stderr).encode()
    assert fed.search().found(text) is None, fed.search().found(text)


def test_quarantined_originals_hold_them_sealed_and_shown_masked(fed: Fed) -> None:
    listed = told(fed.system, "quarantine", "list", "--limit", "100000", "--json").stdout.splitlines()
    whole = [json.loads(line) for line in listed]
    assert len(whole) > 20
    for entry in islice((each for each in whole if each["has_original"]), 0, None, max(1, len(whole) // 4)):
        said = told(fed.system, "quarantine", "show", entry["position"], "--why", "debug")
        assert said.returncode == 0, said.stderr
        assert fed.search().found(said.stdout.encode()) is None, said.stdout


def test_spot_checks_are_listed_answered_and_reported(fed: Fed) -> None:
    """Every event of this run is a sample: people answer some, and the metric and the report say so."""
    system = fed.system
    listed = [
        json.loads(line) for line in told(system, "review", "list", "--json", "--limit", "100000").stdout.splitlines()
    ]
    decided = [leaf for leaf in system.leaves().values() if leaf["out"] in {"accepted", "denied", "held"}]
    assert len(listed) == len(decided) > 300
    assert fed.search().found(json.dumps(listed, ensure_ascii=False).encode()) is None
    assert any(sample.get("fields") for sample in listed)
    tagged = [each for each in listed if "rule" in each]
    untagged = [each for each in listed if "rule" not in each][:200]
    answers = [(each, each["rule"]) for each in tagged] + [(each, "-") for each in untagged[10:]]
    answers += [(each, "quote_started") for each in untagged[:10]]
    file = system.folder / "answers.jsonl"
    file.write_text("".join(json.dumps({"sample": each["id"], "rule": rule}) + "\n" for each, rule in answers))
    said = told(system, "review", "label", "--file", str(file))
    assert (said.returncode, said.stdout) == (0, f"{len(answers)} answered\n"), said.stderr
    assert told(system, "review", "label", "nobody", "--right").returncode == 2
    assert told(system, "review", "label", listed[0]["id"]).returncode == 2
    assert told(system, "review", "label", listed[0]["id"], "--should-be", "never_heard_of").returncode == 2
    report = json.loads(told(system, "review", "report", "--json").stdout)
    strata = {each["rule"]: each for each in report["strata"]}
    assert (strata[""]["answers"], strata[""]["wrong"]) == (len(untagged), 10)
    assert strata["quote_started"]["wrong"] == 0
    assert report["error"]["low"] < report["error"]["share"] < report["error"]["high"]
    assert told(system, "review", "report").stdout.startswith("tagging error ")

    def shown() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{fed.port}/metrics", timeout=10) as answer:
            return f"tamis_tagging_error_ratio {report['error']['share']}" in answer.read().decode()

    system.wait_until(shown, "the metric", 60.0)
