"""Rules change under load: nothing is lost, each event is decided by one bundle, and a candidate tells the future."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.domain.differences import Differences
from tamis.keys.provider import open_keys
from tamis.records.rules import WorkerReport
from tamis.records.topics import Topic
from tamis.services.rules_topic import read_published
from tests.support.system import System, configured, now_ms
from tests.support.traffic import Traffic, encoded, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 4
PEOPLE = 24
ROUND = 400
Place = tuple[int, int, int]


class Rules:
    """A deployment that follows the topic ``rules``, and what is asked of it on the command line."""

    def __init__(self, system: System, first: Path, second: Path) -> None:
        self.system, self.first, self.second = system, first, second
        self.traffic = Traffic(people=PEOPLE, at_ms=now_ms())
        self.sent: list[tuple[int, int]] = []

    def ask(self, *arguments: str, code: int = 0) -> Any:
        done = self.system.run("rules", *arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def publish(self, folder: Path, *options: str) -> str:
        return str(self.ask("publish", str(folder), *options)["hash"])

    def status(self) -> Any:
        done = self.system.run("rules", "status", "--json")
        return json.loads(done.stdout)

    def reports(self) -> list[WorkerReport]:
        """Of workers that run."""
        found = read_published(self.system.settings, open_keys(self.system.settings))
        return [each for each in found.reports.values() if not each.ended]

    def wait_for(self, name: str, candidate: str = "", workers: int = 2) -> None:
        def follows() -> bool:
            live = self.reports()
            return len(live) == workers and all((w.bundle, w.candidate) == (name, candidate) for w in live)

        self.system.wait_until(follows, f"all workers to run {name}")

    def send_round(self, label: str) -> list[Place]:
        """The same events each time, with ids of their own."""
        events = []
        for n in range(ROUND):
            who, _ = self.traffic.people[n % PEOPLE]
            name = ("newsletter_signup", "PDF Download", "quote_started", "Never Planned", "pricing_viewed")[n % 5]
            events.append(encoded({"type": "track", "event": name, "anonymousId": who, "messageId": f"{label}-{n}",
                                   "timestamp": stamp(now_ms() - 1_000)}))  # fmt: skip
        places = self.system.send(events)
        self.sent += places
        self.system.wait_for_intake()
        return [(*place, 0) for place in places]


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two configurations: in the second a rule is gone, one has another stage, one other destinations, one is new."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        configured(folder, "none")
    text = (second / "rules.yaml").read_text()
    text = text.replace("events: [PDF Download, PDF Downloaded, pdf_download]", "events: [Another Name]")
    text = text.replace("stage: consideration\n    weight: 0.35", "stage: purchase\n    weight: 0.35")
    text = text.replace("destinations: [clean, hubspot, marketo]", "destinations: [clean, marketo]", 1)
    text += """
  - id: surprise
    version: 1
    owner: growth
    sla: 4h
    expected_by: none
    stage: awareness
    match: {events: [Never Planned]}
    destinations: [clean, hubspot]
"""
    (second / "rules.yaml").write_text(text)
    return first, second


@pytest.fixture(scope="module")
def rules(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    place = tmp_path_factory.mktemp("reload")
    first, second = folders(place)
    options: dict[str, object] = {"rules.source": "topic", "rules.folder": str(first)}
    with System(kafka, place, options, raw_partitions=PARTITIONS) as system:
        system.start("replica")
        workers = [system.start("worker", "--role", "all") for _ in range(2)]
        made = Rules(system, first, second)
        yield made
        assert [worker.stop() for worker in workers] == [0, 0]
        assert not made.reports(), "workers that ended say so"


def observed(rules: Rules, before: list[Place], after: list[Place]) -> Differences:
    """What is different between the leaves of two rounds of the same events."""
    leaves, whole = rules.system.leaves(), Differences()
    stages: dict[tuple[str, str], str] = {}
    for folder in (rules.first, rules.second):
        bundle = load_bundle(folder)
        assert isinstance(bundle, Bundle)
        stages |= {(bundle.hash, each.rule.id): each.rule.stage for each in bundle.rules.rules}

    def said(leaf: dict[str, Any]) -> tuple[str, str, dict[str, str], str]:
        rule = "" if leaf["rule"] == "-" else leaf["rule"].partition("#")[0]
        return rule, stages.get((leaf["bundle"], rule), ""), leaf["dest"], leaf["out"]

    for one, other in zip(before, after, strict=True):
        whole.events += 1
        was, became = said(leaves[one]), said(leaves[other])
        if was != became:
            whole.note((was[0], became[0]), (was[1], became[1]), was[2], became[2], (was[3], became[3]))
    return whole


def reported(answer: Any) -> tuple[int, int, Counter[tuple[Any, ...]]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in answer["changes"]:
        counts[tuple(row[name] for name in (
            "rule", "candidate_rule", "stage", "candidate_stage", "destination", "verdict", "candidate_verdict"
        ))] += row["events"]  # fmt: skip
    return answer["events"], answer["differing"], counts


def test_a_worker_waits_for_rules_and_then_runs_them(rules: Rules) -> None:
    rules.system.wait_until(lambda: len(rules.reports()) == 2, "the workers' first reports")
    assert {worker["bundle"] for worker in rules.status()["workers"]} == {""}
    assert rules.ask("plan", code=1)["active"] is None
    name = rules.publish(rules.first)
    rules.wait_for(name)
    assert rules.ask("plan")["changes"] == []
    assert rules.ask("publish", str(rules.first))["changed"] is False
    rules.system.load(Topic.CONSENT_RAW, list(rules.traffic.statements(4)))
    rules.system.wait_for_consent()


def test_the_predicted_difference_is_the_observed_one(rules: Rules) -> None:
    candidate = rules.publish(rules.second, "--shadow")
    active = rules.status()["active"]["hash"]
    rules.wait_for(active, candidate)
    started = now_ms()
    before = rules.send_round("before")
    predicted = rules.ask("shadow", "report", code=1)
    assert (predicted["active"], predicted["candidate"]) == (active, candidate)
    replayed = rules.ask(
        "diff", str(rules.second), "--replay", f"{stamp(started - 500)}..{stamp(now_ms() + 1_000)}", code=1
    )
    rules.publish(rules.second)
    rules.wait_for(candidate)
    after = rules.send_round("after")
    truth = observed(rules, before, after)
    assert truth.differing > ROUND // 2
    assert reported(predicted) == (truth.events, truth.differing, truth.changes)
    assert reported(replayed) == (truth.events, truth.differing, truth.changes)
    leaves = rules.system.leaves()
    assert {leaves[place]["bundle"] for place in before} == {active}
    assert {leaves[place]["bundle"] for place in after} == {candidate}


def test_rules_change_under_load_with_nothing_lost(rules: Rules) -> None:
    stop, places = threading.Event(), []

    def talk() -> None:
        while not stop.wait(0.05):
            places.extend(rules.system.send([value for value, _ in rules.traffic.events(40)]))

    rules.ask("shadow", "stop")
    names = [rules.publish(rules.first), rules.publish(rules.second)]
    rules.wait_for(names[1])
    talking = threading.Thread(target=talk)
    talking.start()
    try:
        for _ in range(2):
            rules.wait_for(rules.ask("rollback")["hash"])
    finally:
        stop.set()
        talking.join()
    rules.system.wait_for_intake()
    leaves = rules.system.leaves()  # raises when a position has two
    assert set(places) <= {(p, o) for p, o, _ in leaves}
    used = Counter(leaves[(*place, 0)]["bundle"] for place in places)
    assert set(used) == set(names)
    assert min(used.values()) > 40
    for p, o, i in leaves:  # events of one record are decided together
        assert leaves[p, o, i]["bundle"] == leaves[p, o, 0]["bundle"]
    assert rules.system.run("audit", "verify").returncode == 0


def test_a_bundle_that_cannot_be_used_is_refused_and_the_last_one_stays(rules: Rules, tmp_path: Path) -> None:
    shutil.copytree(rules.first, tmp_path / "new")
    target = tmp_path / "new" / "destinations.yaml"
    target.write_text(target.read_text().replace("crm.marketo", "crm.acme").replace("id: marketo", "id: acme"))
    rule_file = tmp_path / "new" / "rules.yaml"
    rule_file.write_text(rule_file.read_text().replace("marketo", "acme"))
    done = rules.system.run("rules", "publish", str(tmp_path / "new"))
    assert done.returncode == 2
    assert "crm.acme is missing" in done.stderr
    active = rules.status()["active"]["hash"]
    rules.wait_for(active)


def test_any_bundle_a_leaf_names_can_be_found(rules: Rules) -> None:
    for name in {leaf["bundle"] for leaf in rules.system.leaves().values()}:
        shown = rules.ask("show", name)
        assert shown["hash"] == name
        assert "rules.yaml" in shown["files"]
