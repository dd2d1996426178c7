"""Following the topic ``rules``: what a worker runs after each record, on the embedded broker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tamis.bundles.folder import files_of
from tamis.bundles.load import compile_source
from tamis.bundles.published import Published
from tamis.bundles.publishing import bundle_record, pointer_record
from tamis.bundles.signing import Signer
from tamis.bundles.source import bundle_hash
from tamis.domain.bundle import Bundle
from tamis.kafka.embedded import EmbeddedBroker
from tamis.kafka.plan import wanted_topics
from tamis.keys.file import create_key_file
from tamis.keys.provider import open_keys
from tamis.records.rules import ACTIVE, SHADOW
from tamis.records.topics import CATALOGUE
from tamis.services.rules_start import publish_folder, start_rules
from tamis.services.rules_topic import read_published, signer_of, trusted_keys, write
from tamis.services.rules_watch import RulesWatch, reporter
from tamis.settings import KeysSettings, PathsSettings, RulesSettings, Settings, SetupError, TopicsSettings
from tamis.telemetry.metrics import Telemetry, vocabulary
from tests.support.bundles import CONFIG, minimal_bundle, reference_bundle
from tests.support.core import FixedKeys
from tests.support.patience import Deadline

pytestmark = pytest.mark.embedded

LIMIT_S = 30.0


class Place:
    """A broker with the topics of config/minimal, and one worker's watcher."""

    def __init__(self, broker: EmbeddedBroker, folder: Path) -> None:
        self.settings = Settings(
            kafka=broker.kafka_settings(), topics=TopicsSettings(raw_partitions=1, metrics_partitions=1),
            rules=RulesSettings(source="topic", folder=str(CONFIG / "minimal")),
            paths=PathsSettings(state_dir=str(folder)),
            keys=KeysSettings(file=str(folder / "keys.json")),
        )  # fmt: skip
        create_key_file(folder / "keys.json", now_ms=1)
        self.keys = open_keys(self.settings)
        self.signer = signer_of(self.keys)
        self.telemetry = Telemetry(vocabulary("1", "intake"))
        self.watches: list[RulesWatch] = []

    def watch(self, given: Bundle | None = None) -> RulesWatch:
        made = start_rules(self.settings, self.keys, reporter("here/1", "1", "intake"), self.telemetry.rules, given)
        self.watches.append(made)
        return made

    @property
    def found(self) -> Published:
        return read_published(self.settings, self.keys)

    def put(self, bundle: Bundle, files: dict[str, str] | None = None, role: str = ACTIVE) -> None:
        record = bundle_record(bundle, files or {}, self.signer, 1)
        write(self.settings, [record, pointer_record(self.found, bundle.hash, self.signer, "rules", 1, role)])

    def value(self, name: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(name, labels)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    topics = {spec.name: 1 for spec in CATALOGUE}
    with EmbeddedBroker(topics) as broker:
        made = Place(broker, tmp_path)
        assert {wanted.name for wanted in wanted_topics(made.settings)} == set(topics)
        yield made
        for watch in made.watches:
            watch.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = Deadline(LIMIT_S)
    while not condition():
        deadline.check()
        time.sleep(0.02)


def changed(bundle: Bundle, **rule: object) -> Bundle:
    """A bundle with other values in its first rule."""
    whole = json.loads(bundle.source)
    whole["rules"][0] |= rule
    made = compile_source(json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    assert isinstance(made, Bundle)
    return made


def test_rules_are_waited_for_followed_refused_and_followed_again(place: Place) -> None:
    watch = place.watch()
    until(lambda: "here/1" in place.found.reports)
    assert not watch.wait(0)
    first = minimal_bundle()
    place.put(first)
    assert watch.wait(LIMIT_S)
    assert (watch.selection().active.hash, watch.selection().seq, watch.selection().candidate) == (first.hash, 1, None)

    place.put(reference_bundle())  # its CRM topics are not there
    until(lambda: bool(place.found.reports["here/1"].refused))
    assert watch.selection().active.hash == first.hash
    assert place.value("tamis_rules_refused_line", part="topics") == 1
    assert "topic crm.hubspot is missing" in " ".join(place.found.reports["here/1"].refused)

    second = changed(first, version=2)
    place.put(second)
    until(lambda: watch.selection().active.hash == second.hash)
    until(lambda: place.found.reports["here/1"].refused == ())
    assert place.value("tamis_rules_refused_line", part="topics") == 0
    assert place.value("tamis_rules_sequence") == 3


def test_a_bundle_this_version_cannot_use_is_told_by_file_and_line(place: Place) -> None:
    watch = place.watch()
    place.put(minimal_bundle())
    assert watch.wait(LIMIT_S)
    files = files_of(CONFIG / "minimal")
    files["rules.yaml"] = files["rules.yaml"].replace("stage: consideration", "stage: some_day")
    whole = json.loads(minimal_bundle().source)
    whole["rules"][0]["stage"] = "some_day"
    source = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    place.put(msgspec.structs.replace(minimal_bundle(), source=source, hash=bundle_hash(source)), files)
    until(lambda: bool(place.found.reports["here/1"].refused))
    [line] = [n for n, text in enumerate(files["rules.yaml"].splitlines(), 1) if "some_day" in text]
    assert place.value("tamis_rules_refused_line", part="rules") == line
    assert place.found.reports["here/1"].refused[0].startswith(f"rules.yaml:{line}:")
    assert watch.selection().active.hash == minimal_bundle().hash


def test_nobody_else_can_move_a_worker(place: Place) -> None:
    watch = place.watch()
    place.put(minimal_bundle())
    assert watch.wait(LIMIT_S)
    stranger, other = Signer(FixedKeys().derive), changed(minimal_bundle(), version=7)
    write(place.settings, [bundle_record(other, {}, stranger, 1),
                           pointer_record(place.found, other.hash, stranger, "rules", 1)])  # fmt: skip
    until(lambda: place.value("tamis_rules_odd_records") == 2)
    assert watch.selection().active.hash == minimal_bundle().hash


def test_a_candidate_comes_and_goes(place: Place) -> None:
    watch = place.watch()
    place.put(minimal_bundle())
    assert watch.wait(LIMIT_S)
    other = changed(minimal_bundle(), stage="purchase")
    place.put(other, role=SHADOW)

    def candidate() -> str:
        found = watch.selection().candidate
        return found.hash if found is not None else ""

    until(lambda: candidate() == other.hash)
    assert watch.selection().active.hash == minimal_bundle().hash
    write(place.settings, [pointer_record(place.found, "", place.signer, "rules", 1, SHADOW)])
    until(lambda: candidate() == "")
    own = changed(minimal_bundle(), mode="shadow")
    place.put(own)
    until(lambda: candidate() != "")
    assert watch.selection().candidate is not None
    assert [each.rule.mode for each in watch.selection().active.rules.rules] == ["shadow"]


def test_a_folder_is_published_once_and_moves_no_pointer(place: Place) -> None:
    watch = place.watch(minimal_bundle())
    assert watch.wait(0)
    publish_folder(place.settings, place.keys, minimal_bundle())
    found = place.found
    assert set(found.bundles) == {minimal_bundle().hash}
    assert found.pointers == {}
    until(lambda: "here/1" in place.found.reports)
    assert place.found.reports["here/1"].bundle == minimal_bundle().hash
    place.put(changed(minimal_bundle(), version=2))
    watch.close()
    assert watch.selection().active.hash == minimal_bundle().hash
    assert place.found.reports["here/1"].ended


def test_trusted_keys(place: Place) -> None:
    with pytest.raises(SetupError, match="is not a public key"):
        trusted_keys(msgspec.structs.replace(place.settings, rules=RulesSettings(trusted_keys="abc")), place.keys)
    listed = RulesSettings(trusted_keys=f" {place.signer.public} ,{Signer(FixedKeys().derive).public}")
    assert len(trusted_keys(msgspec.structs.replace(place.settings, rules=listed), place.keys)) == 2
    assert trusted_keys(place.settings, place.keys) == (place.signer.public,)
