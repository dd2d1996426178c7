"""Comparing topics with what they must be, and what is done about it; no broker."""

from __future__ import annotations

import msgspec
import pytest

from tamis.kafka.mend import Mending, mend, shows, state_topics
from tamis.kafka.plan import ActualTopic, Kind, WantedTopic, differences, wanted_topics
from tamis.records.topics import CATALOGUE, crm_topic
from tamis.settings import Settings, TopicsSettings, WorkerSettings

SETTINGS = Settings(topics=TopicsSettings(prefix="p.", raw_partitions=4))
WANTED = wanted_topics(SETTINGS, [crm_topic("hubspot")])


def _as_wanted(wanted: tuple[WantedTopic, ...] = WANTED) -> dict[str, ActualTopic]:
    return {
        topic.name: ActualTopic(
            name=topic.name, partitions=topic.partitions, replication=topic.replication, config=dict(topic.config)
        )
        for topic in wanted
    }


def _with(name: str, **changes: object) -> dict[str, ActualTopic]:
    actual = _as_wanted()
    actual[name] = msgspec.structs.replace(actual[name], **changes)
    return actual


def _mend(actual: dict[str, ActualTopic], *, allow_growth: bool = False, holding: str = "") -> Mending:
    return mend(WANTED, actual, allow_growth=allow_growth, holding=frozenset(filter(None, [holding])))


def _at(partitions: int) -> dict[str, ActualTopic]:
    """The cluster as wanted, but the group of events.raw at another count."""
    return {
        topic.name: msgspec.structs.replace(
            _as_wanted()[topic.name], partitions=partitions if topic.group == "raw" else topic.partitions
        )
        for topic in WANTED
    }


def test_every_declared_topic_is_wanted_once_with_prefix_and_counts() -> None:
    names = [topic.name for topic in WANTED]
    assert names == [f"p.{spec.name}" for spec in CATALOGUE] + ["p.crm.hubspot"]
    counts = {topic.name: topic.partitions for topic in WANTED}
    assert counts["p.events.raw"] == counts["p.audit.log"] == counts["p.crm.hubspot"] == 4
    assert (counts["p.consent.raw"], counts["p.metrics.state"], counts["p.alerts"]) == (4, 2, 1)


def test_a_destination_of_the_catalogue_is_not_wanted_twice() -> None:
    clean = next(spec for spec in CATALOGUE if spec.name == "events.clean")
    assert len(wanted_topics(SETTINGS, [clean])) == len(CATALOGUE)


@pytest.mark.parametrize(("source", "kind"), [("broker", "LogAppendTime"), ("record", "CreateTime")])
def test_inputs_carry_the_time_that_the_settings_ask_for(source: str, kind: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, worker=WorkerSettings(time_source=source))  # type: ignore[arg-type]
    types = {topic.name: topic.config.get("message.timestamp.type") for topic in wanted_topics(settings)}
    assert types["p.events.raw"] == types["p.consent.raw"] == kind
    assert types["p.events.clean"] is None


def test_nothing_differs_when_all_is_as_wanted() -> None:
    assert differences(WANTED, _as_wanted()) == ()
    assert _mend(_as_wanted()) == Mending(doing=(), refused=())


def test_topics_of_others_are_left_alone() -> None:
    stranger = ActualTopic(name="p.other", partitions=1, replication=1, config={})
    assert differences(WANTED, {**_as_wanted(), "p.other": stranger}) == ()


def test_missing_topics_are_made() -> None:
    found = differences(WANTED, {})
    assert {each.kind for each in found} == {Kind.MISSING}
    assert len(found) == len(WANTED)
    assert all(each.blocks for each in found)
    mending = _mend({})
    assert [change.topic for change in mending.doing if change.create] == list(WANTED)
    assert mending.refused == ()


def test_configs_that_differ_are_set_and_only_dangerous_ones_block() -> None:
    actual = _with("p.consent.state", config={"cleanup.policy": "delete"})
    found = {each.config: each for each in differences(WANTED, actual)}
    assert found["cleanup.policy"].blocks
    assert not found["segment.ms"].blocks
    (change,) = _mend(actual).doing
    assert change.configs["cleanup.policy"] == "compact"
    assert (change.create, change.raise_to) == (False, None)


def test_the_order_of_cleanup_policies_does_not_matter() -> None:
    actual = _with("p.alerts", config={"cleanup.policy": "delete,compact", "min.insync.replicas": "1"})
    assert differences(WANTED, actual) == ()


def test_configs_nobody_tells_are_not_compared() -> None:
    assert differences(WANTED, _with("p.events.raw", config=None)) == ()


def test_too_many_partitions_are_never_mended() -> None:
    mending = _mend(_with("p.events.clean", partitions=5), allow_growth=True)
    assert mending.doing == ()
    (refusal,) = mending.refused
    assert refusal.difference.kind is Kind.TOO_MANY
    assert "cannot be taken away" in refusal.why


def test_growth_needs_the_word_of_the_operator() -> None:
    mending = _mend(_at(2))
    assert mending.doing == ()
    assert {refusal.difference.kind for refusal in mending.refused} == {Kind.TOO_FEW}
    assert all("--allow-growth" in refusal.why and "order" in refusal.why for refusal in mending.refused)


def test_a_group_grows_together() -> None:
    mending = _mend(_at(2), allow_growth=True)
    assert mending.refused == ()
    raised = {change.topic.name: change.raise_to for change in mending.doing}
    assert raised == {topic.name: 4 for topic in WANTED if topic.group == "raw"}


def test_a_group_with_kept_state_does_not_grow() -> None:
    assert "p.consent.state" in state_topics(WANTED, _as_wanted())
    mending = _mend(_at(2), allow_growth=True, holding="p.consent.state")
    assert mending.doing == ()
    assert all("p.consent.state" in refusal.why for refusal in mending.refused)


def test_records_that_are_not_state_do_not_stop_growth() -> None:
    assert _mend(_at(2), allow_growth=True, holding="p.events.raw").refused == ()


def test_a_group_does_not_grow_around_a_member_that_is_too_large() -> None:
    actual = _at(2)
    actual["p.audit.log"] = msgspec.structs.replace(actual["p.audit.log"], partitions=9)
    mending = _mend(actual, allow_growth=True)
    assert mending.doing == ()
    assert any("p.audit.log has more partitions" in refusal.why for refusal in mending.refused)


def test_a_missing_topic_is_not_made_into_a_group_of_another_count() -> None:
    actual = _at(2)
    del actual["p.crm.hubspot"]
    refused = {refusal.difference.topic: refusal for refusal in _mend(actual).refused}
    assert refused["p.crm.hubspot"].difference.kind is Kind.MISSING
    made = {change.topic.name for change in _mend(actual, allow_growth=True).doing if change.create}
    assert made == {"p.crm.hubspot"}


def test_consent_raw_may_have_any_number_of_partitions() -> None:
    assert differences(WANTED, _with("p.consent.raw", partitions=50)) == ()
    (few,) = differences(WANTED, _with("p.consent.raw", partitions=1))
    assert few.kind is Kind.TOO_FEW
    assert not few.blocks


def test_too_few_copies_are_told_and_left() -> None:
    settings = msgspec.structs.replace(SETTINGS, topics=TopicsSettings(prefix="p.", raw_partitions=4, replication=3))
    wanted = wanted_topics(settings)
    actual = {topic.name: msgspec.structs.replace(_as_wanted()[topic.name]) for topic in wanted}
    found = differences(wanted, actual)
    assert {each.kind for each in found} == {Kind.REPLICATION}
    assert not any(each.blocks for each in found)
    assert mend(wanted, actual, allow_growth=True).doing == ()


def test_differences_read_as_sentences() -> None:
    (missing, *_) = differences(WANTED, {})
    assert str(missing) == "topic p.events.raw is missing (4 partitions, delete)"
    (count,) = differences(WANTED, _with("p.audit.log", partitions=3))
    assert str(count) == "topic p.audit.log: partitions: is 3, must be 4"


def test_a_change_is_done_when_the_cluster_shows_it() -> None:
    create, grow = _mend({}).doing[0], _mend(_at(2), allow_growth=True).doing[0]
    config = _mend(_with("p.events.raw", config={"cleanup.policy": "delete"})).doing[0]
    for change, before in ((create, {}), (grow, _at(2)), (config, _with("p.events.raw", config={}))):
        assert not shows(before, change)
        assert shows(_as_wanted(), change)
