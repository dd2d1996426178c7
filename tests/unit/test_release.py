"""Held events: sealed at intake, decided again at release; what is not clearly allowed then does not leave."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tamis.domain.audit.leaf import decode_head
from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.consent.model import FirstSight, Status, SubjectRecord
from tamis.domain.consent.replay import reevaluate
from tamis.domain.held import HeldEvent
from tamis.domain.outcome import LATER_DENIED
from tests.support.core import START, ConsentTable, small_bundle, track
from tests.support.holding import hold, holding_bundle, leaks, leaves, release, sent

GRANTED, DENIED = Status.GRANTED, Status.DENIED
Held = tuple[bytes | None, bytes]


def unknown() -> ConsentTable:
    """A device that was seen and has said nothing."""
    consent = ConsentTable()
    consent.set_device("device-1")
    return consent


def one(consent: ConsentTable, body: bytes | None = None) -> Held:
    (held,) = sent(hold(consent, body or track()), "events.held")
    return held


def changed(held: Held, **values: Any) -> Held:
    entry = msgspec.json.decode(held[1], type=HeldEvent)
    return held[0], msgspec.json.encode(msgspec.structs.replace(entry, **values))


def test_a_subject_without_a_record_is_held_and_announced_once_a_batch() -> None:
    out = hold(ConsentTable(), track(), track("m-2"))
    assert [(leaf["out"], leaf["why"]) for leaf in leaves(out)] == [("held", "no_record")] * 2
    assert len(sent(out, "events.held")) == 2
    ((key, value),) = out.keyed["consent.changes"]
    sight = msgspec.json.decode(value, type=FirstSight)
    assert key == sight.subject.encode()
    assert (sight.identity, sight.at) == ("device", START)
    assert not sent(out, "events.clean")


def test_a_subject_that_has_said_nothing_is_held_and_not_announced() -> None:
    out = hold(unknown(), track())
    assert [(leaf["out"], leaf["why"]) for leaf in leaves(out)] == [("held", "no_choice")]
    assert not out.keyed


def test_nothing_readable_is_in_a_held_record() -> None:
    for consent in (ConsentTable(), unknown()):
        key, value = one(consent, track(userId="zoe@example.test"))
        for raw in (b"zoe", b"device-1", b"m-1", base64.b64encode(b"zoe@example.test")[:16]):
            assert raw not in value + (key or b"")


def test_the_record_cites_its_leaf() -> None:
    out = hold(unknown(), track(), track("m-2"))
    second = msgspec.json.decode(sent(out, "events.held")[1][1], type=HeldEvent)
    assert second.seq == 1
    assert base64.b64decode(second.leaf) == leaf_hashes([out.leaves[1]])[0]
    assert (second.partition, second.offset, second.index) == (3, 1, 0)


@pytest.mark.parametrize("body", [
    track(anonymousId=None), track(anonymousId="null"), b"no json",
    track(context={"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
    track(context={"consent": {"categoryPreferences": {"Analytics": False, "Ads": False}}}),
])  # fmt: skip
def test_what_a_yes_in_the_record_would_not_let_out_is_not_held(body: bytes) -> None:
    out = hold(ConsentTable(), body)
    assert leaves(out)[0]["out"] in {"denied", "invalid"}
    assert not sent(out, "events.held")
    assert not out.keyed


def test_a_denial_is_not_held() -> None:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=DENIED, marketing=DENIED)
    assert leaves(hold(consent, track()))[0]["out"] == "denied"


def test_holding_can_be_off_as_a_whole_for_a_destination_and_for_a_regulation() -> None:
    bundle = holding_bundle()
    never = tuple(msgspec.structs.replace(each, hold=False) for each in bundle.destinations)
    for other in (holding_bundle(hold=None), msgspec.structs.replace(bundle, destinations=never)):
        out = hold(ConsentTable(), track(), bundle=other)
        assert [(leaf["out"], leaf["why"]) for leaf in leaves(out)] == [("denied", "no_record")]
        assert not sent(out, "events.held")
    law = msgspec.structs.replace(bundle.policy.judged()[0], hold=False)
    assert leaves(hold(ConsentTable(), track(), bundle=holding_bundle(regulations=(law,))))[0]["out"] == "denied"


def test_an_event_too_large_to_hold_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tamis.domain.held.MAX_HELD_BYTES", 1_000)
    out = hold(unknown(), track(), track("m-2", properties={"n": "x" * 1_000}))
    assert [(leaf["out"], leaf["why"]) for leaf in leaves(out)] == [("held", "no_choice"), ("denied", "no_choice")]
    assert len(sent(out, "events.held")) == 1
    again = reevaluate(leaves(out)[1], holding_bundle())
    assert again is not None
    assert again.agrees(leaves(out)[1])


def test_a_yes_that_came_releases_the_event_exactly_as_intake_would_have_let_it_out() -> None:
    consent = unknown()
    held = one(consent)
    consent.set_device("device-1", analytics=GRANTED, marketing=GRANTED)
    found, now = release(consent, held), hold(consent, track())
    assert found.fates == {("released", "granted"): 1}
    for topic in ("events.clean", "crm.hubspot"):
        assert sent(found, topic) == sent(now, topic)
        assert len(sent(found, topic)) == 1


def test_a_first_sight_is_released_when_its_record_is_there_and_says_yes() -> None:
    consent = ConsentTable()
    held = one(consent)
    consent.set_device("device-1", analytics=GRANTED)
    found = release(consent, held)
    assert found.fates == {("released", "granted"): 1}
    assert leaks(found) == 1


def test_what_is_still_unknown_waits_once_more_and_is_then_denied() -> None:
    consent = unknown()
    held = one(consent)
    found = release(consent, held)
    assert found.fates == {("forwarded", "no_choice"): 1}
    assert sent(found, "events.held.last") == [held]
    assert not found.emissions.tally.groups
    found = release(consent, held, last=True, after_ms=300_000)
    assert found.fates == {("denied", "undecided"): 1}
    assert not sent(found, "events.held.last")
    assert leaks(found) == 0


def test_a_no_that_came_denies() -> None:
    consent = unknown()
    held = one(consent)
    consent.set_device("device-1", analytics=DENIED, marketing=Status.WITHDRAWN)
    found = release(consent, held)
    assert found.fates == {("denied", "withdrawn"): 1}
    assert leaks(found) == 0


def test_a_bundle_that_holds_no_more_denies() -> None:
    consent = unknown()
    found = release(consent, one(consent), bundle=small_bundle())
    assert found.fates == {("denied", "no_choice"): 1}


def test_what_became_too_late_is_denied() -> None:
    consent = unknown()
    held = one(consent)
    consent.set_device("device-1", analytics=GRANTED, marketing=GRANTED)
    found = release(consent, held, after_ms=80 * 3_600_000)
    assert found.fates == {("denied", "late"): 1}
    assert leaks(found) == 0


def test_an_erased_subject_takes_the_event_with_it() -> None:
    consent = unknown()
    held = one(consent)
    key = consent.subjects.device("device-1")
    consent.records[key] = SubjectRecord(salt="", revision=2, identity="device", purposes={}, suppressed_at=START)
    consent.changes += 1
    found = release(consent, held)
    assert found.fates == {("denied", "erased"): 1}
    assert leaks(found) == 0
    assert leaves(found)[0]["cites"]["seq"] == 0


def test_an_erasure_after_a_first_sight_denies_though_the_day_key_opens_the_event() -> None:
    consent = ConsentTable()
    held = one(consent)
    key = consent.subjects.device("device-1")
    consent.records[key] = SubjectRecord(salt="", revision=1, identity="device", purposes={}, suppressed_at=START)
    consent.changes += 1
    found = release(consent, held)
    assert found.fates == {("denied", "erased"): 1}


@pytest.mark.parametrize("gone", [True, False])
def test_a_record_that_expired_or_was_made_anew_has_lost_the_key(gone: bool) -> None:
    consent = unknown()
    held = one(consent)
    key = consent.subjects.device("device-1")
    if gone:
        del consent.records[key]
    else:
        consent.set_device("device-1", analytics=GRANTED, marketing=GRANTED)
        consent.records[key] = msgspec.structs.replace(consent.records[key], salt="b3RoZXI")
    consent.changes += 1
    found = release(consent, held)
    assert found.fates == {("denied", "erased"): 1}
    assert leaks(found) == 0


@pytest.mark.parametrize("change", [
    {"occurred_at": START - 1}, {"received_at": START + 5}, {"offset": 9}, {"index": 1}, {"seq": 7}, {"rule": "other"},
    {"leaf": "A" * 44}, {"log": "tamis.test/audit.log/p3/e9"}, {"partition": 2}, {"key_id": "held/day/2026-11-19"},
    {"key_id": "held/subject"}, {"sealed": ""}, {"sealed": "!"}, {"sealed": "AAAA"},
])  # fmt: skip
def test_what_was_tampered_with_is_denied(change: dict[str, Any]) -> None:
    for consent in (ConsentTable(), unknown()):
        held = changed(one(consent), **change)
        consent.set_device("device-1", analytics=GRANTED, marketing=GRANTED)
        found = release(consent, held)
        assert [outcome for outcome, _ in found.fates] == ["denied"]
        assert leaks(found) == 0


def test_the_event_of_one_subject_is_not_read_under_the_key_of_another() -> None:
    consent = ConsentTable()
    _, value = one(consent)
    consent.set_device("device-2", analytics=GRANTED, marketing=GRANTED)
    found = release(consent, (consent.subjects.device("device-2").encode(), value))
    assert found.fates == {("denied", "unreadable"): 1}


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b"[1]", b'{"v":1}'])
@pytest.mark.parametrize("key", [None, b"\xff\xfe", b"k"])
def test_what_tamis_did_not_write_is_denied_with_a_leaf_and_not_a_fault(key: bytes | None, value: bytes | None) -> None:
    found = release(unknown(), (key, value))
    assert found.fates == {("denied", "unreadable"): 1}
    (leaf,) = leaves(found)
    assert leaf["cites"] is None
    assert reevaluate(leaf, holding_bundle()) is None


@pytest.mark.parametrize("log", ['x"},"out":"released', "other/audit.log/p3/e1", "tamis.test/audit.held/p3/e1", ""])
def test_nothing_that_was_not_authenticated_gets_into_a_leaf(log: str) -> None:
    consent = unknown()
    held = changed(one(consent), log=log)
    del consent.records[consent.subjects.device("device-1")]
    consent.changes += 1
    found = release(consent, held)
    assert found.fates == {("denied", "erased"): 1}
    assert leaves(found)[0]["cites"] is None


def test_leaves_cite_are_sorted_reevaluate_and_are_counted_in_the_head() -> None:
    consent = ConsentTable()
    bodies = [track("m-1"), track("m-2", anonymousId="device-2"), track("m-3", anonymousId="device-3")]
    held = hold(consent, *bodies)
    consent.set_device("device-1", analytics=GRANTED)
    consent.set_device("device-2", analytics=DENIED, marketing=DENIED)
    found = release(consent, *sent(held, "events.held"), bundle=holding_bundle())
    outs = [leaf["out"] for leaf in leaves(found)]
    assert outs == ["released", "denied", "forwarded"]
    for number, (raw, leaf) in enumerate(zip(found.emissions.leaves, leaves(found), strict=True)):
        assert list(leaf) == sorted(leaf)
        assert leaf["cites"] == {
            "i": 0, "leaf": base64.b64encode(leaf_hashes([held.leaves[number]])[0]).decode(),
            "log": "tamis.test/audit.log/p3/e1", "o": number, "seq": number,
        }  # fmt: skip
        assert (leaf["src"]["t"], leaf["src"]["o"], leaf["seq"]) == ("events.held", number, number)
        assert leaf["ts"] == START + 10_000
        again = reevaluate(json.loads(raw), holding_bundle())
        assert again is not None
        assert again.agrees(leaf)
    assert found.emissions.head is not None
    assert decode_head(found.emissions.head).counts == {"released": 1, "denied": 1, "forwarded": 1}


def test_windows_count_what_was_decided_at_its_release_under_words_of_its_own() -> None:
    consent = ConsentTable()
    held = hold(consent, track("m-1"), track("m-2", anonymousId="device-2"))
    consent.set_device("device-1", analytics=GRANTED)
    consent.set_device("device-2", analytics=DENIED, marketing=DENIED)
    groups = release(consent, *sent(held, "events.held"), after_ms=120_000).emissions.tally.groups
    assert {(group[2], group[3]): sums.n for group, sums in groups.items()} == {
        ((START + 120_000) // 60_000, "released"): 1, ((START + 120_000) // 60_000, LATER_DENIED): 1,
    }  # fmt: skip


def test_held_leaves_reevaluate_and_time_never_goes_back() -> None:
    out = hold(ConsentTable(), track())
    again = reevaluate(leaves(out)[0], holding_bundle())
    assert again is not None
    assert again.agrees(leaves(out)[0])
    assert (again.outcome, again.decision) == ("held", "unknown")
