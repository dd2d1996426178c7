"""Spot checks: which events are sampled, and that a sample names nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.sampling import Sampler, SamplingPolicy
from tamis.records.batch import Emissions, RawBatch
from tamis.records.review import decode_label, decode_sample
from tamis.records.samples import SampledDispatch
from tamis.records.topics import Topic
from tamis.settings import SetupError
from tamis.settings_review import ReviewSettings
from tamis.streaming.sampling import sampling_policy
from tests.support.core import START, ConsentTable, FixedKeys, StoredRecord, small_bundle, small_intake, track

ALL = 1_000_000
SECRETS = ("zoe", "device-1", "m-1", "user-7", "203.0.113")


def run(policy: SamplingPolicy, *bodies: bytes, granted: bool = True, first: int = 0) -> Emissions:
    consent = ConsentTable()
    if granted:
        consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    intake = small_intake(consent)
    intake.dispatch = SampledDispatch(
        small_bundle(), intake.keys, Sampler(small_bundle(), policy, FixedKeys().derive("review"))
    )
    records = [StoredRecord(first + n, START, body) for n, body in enumerate(bodies)]
    return intake.process(AuditLog("events.raw/3"), RawBatch("events.raw", 3, records, first, first + len(bodies), 0))


def samples(out: Emissions) -> list[dict[str, Any]]:
    return [json.loads(value) for _, value in out.outputs[Topic.REVIEW_SAMPLES]]


def policy(tagged: int = ALL, untagged: int = ALL, **more: Any) -> SamplingPolicy:
    return SamplingPolicy(tagged=tagged, untagged=untagged, **more)


def many(count: int, event: str = "Newsletter Signup") -> list[bytes]:
    return [track(f"id-{n}", event=event) for n in range(count)]


def test_a_tagged_and_an_untagged_event_are_told_apart() -> None:
    out = run(policy(), track("m-1"), track("m-2", event="Something"))
    tagged, other = samples(out)
    assert (tagged["rule"], tagged["stage"], tagged["name"]) == ("newsletter_signup", "intent", "Newsletter Signup")
    assert ("rule" in other, "name" in other, other["kind"]) == (False, False, "track")
    assert (tagged["position"], other["position"]) == ("events.raw/3/0/0", "events.raw/3/1/0")
    assert tagged["hour"] % 3_600_000 == 0
    assert (tagged["per_million"], tagged["bundle"], tagged["site"]) == (ALL, small_bundle().hash, "shop")


@pytest.mark.parametrize("shown", ["", "clean", "hubspot", "nowhere"])
@pytest.mark.parametrize("granted", [True, False])
def test_a_sample_names_nobody(shown: str, granted: bool) -> None:
    """Neither in a field, nor in the name, nor as a pseudonym of a destination."""
    bodies = [
        track("m-1", userId="user-7", context={"ip": "203.0.113.7", "traits": {"name": "zoe"}}),
        track("m-1x", event="zoe@example.test signed up"), track("m-1y", event="call 660 1234567 zoe"),
    ]  # fmt: skip
    out = run(policy(fields_of=shown), *bodies, granted=granted)
    text = b"".join(key + value for key, value in out.outputs[Topic.REVIEW_SAMPLES] if key).decode()
    assert not any(secret in text for secret in SECRETS)
    for topic in ("events.clean", "crm.hubspot"):
        for _, value in out.outputs[topic]:
            sent = json.loads(value)
            assert not any(sent[name] in text for name in ("subject", "event_id", "proof_id"))


def test_fields_are_those_of_a_destination_that_may_have_the_event() -> None:
    assert samples(run(policy(fields_of="clean"), track()))[0]["fields"] == {"plan": "pro", "n": 7}
    assert "fields" not in samples(run(policy(fields_of="clean"), track(), granted=False))[0]
    assert "fields" not in samples(run(policy(), track()))[0]
    untagged = samples(run(policy(fields_of="clean"), track(event="Quiz Done")))[0]
    assert untagged["name"] == "Quiz Done"
    assert "name" not in samples(run(policy(fields_of="clean"), track(event="Quiz Done"), granted=False))[0]


def test_the_choice_is_fixed_and_about_as_large_as_asked_for() -> None:
    out = run(policy(100_000, 500_000), *many(1_000), *many(1_000, "Other"))
    again = run(policy(100_000, 500_000), *many(1_000), *many(1_000, "Other"))
    assert out.outputs[Topic.REVIEW_SAMPLES] == again.outputs[Topic.REVIEW_SAMPLES]
    tagged = sum("rule" in sample for sample in samples(out))
    assert 60 < tagged < 145
    assert 430 < len(samples(out)) - tagged < 570 or len(samples(out)) == tagged


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (policy(0, 0), 0),
        (policy(ALL, 0), 20),
        (policy(0, ALL), 0),
        (policy(0, 0, rules={"newsletter_signup": ALL}), 20),
    ],
)
def test_rates_hold_by_stratum(chosen: SamplingPolicy, count: int) -> None:
    assert len(samples(run(chosen, *many(20)))) == count


def test_what_is_refused_or_repeated_is_no_sample() -> None:
    assert samples(run(policy(), b"nonsense", track(timestamp="never"))) == []


def test_rates_of_single_rules_are_read_or_refused() -> None:
    assert sampling_policy(ReviewSettings(rules="a=5, b=1000000")).rules == {"a": 5, "b": ALL}
    for wrong in ("a", "a=", "=5", "a=-1", "a=1000001", "a=x", "a=5,b"):
        with pytest.raises(SetupError, match=r"review\.rules"):
            sampling_policy(ReviewSettings(rules=wrong))


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"\xff", b'{"id":1}'])
def test_what_is_no_record_of_ours_is_none(value: bytes | None) -> None:
    assert decode_sample(value) is None
    assert decode_label(value) is None
