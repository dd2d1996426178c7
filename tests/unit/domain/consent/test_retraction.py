"""What destinations are told of a change, and when nothing is to be told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tamis.domain.bundle import Bundle
from tamis.domain.consent.fold import SALT_BYTES, fold
from tamis.domain.consent.model import ConsentChange, Erasure, IdentityLink, Restriction, Status, SubjectRecord
from tamis.domain.consent.privacy import erase, restrict
from tamis.domain.consent.retraction import (
    OBJECTION,
    Change,
    Retraction,
    RetractionReason,
    Retractor,
    purposes_needed,
)
from tamis.domain.rules import RuleSet
from tamis.domain.subject import salt_of
from tests.support.bundles import reference_bundle
from tests.support.core import small_bundle

SALT = b"s" * SALT_BYTES
EPOCHS = ("2", "1")
YES = {"analytics": Status.GRANTED, "marketing": Status.GRANTED}


def pseudonyms(domain: str, salt: bytes, subject: str) -> tuple[str, ...]:
    assert salt == SALT, "made with the salt as it was before the change"
    return tuple(f"v1.{domain}.{epoch}.{subject}" for epoch in EPOCHS)


def said(choices: dict[str, Status], at: int = 10, **more: Any) -> ConsentChange:
    given: dict[str, Any] = {"regulation": "gdpr", "recorded_at": at, "source": "s"} | more
    return ConsentChange(subject="k", identity="person", choices=choices, effective_at=at, **given)


def apply(record: SubjectRecord | None, change: Change) -> SubjectRecord:
    if isinstance(change, Erasure):
        return erase(record, change)
    return restrict(record, change, SALT) if isinstance(change, Restriction) else fold(record, change, SALT)


def told(changes: list[Change], bundle: Bundle | None = None) -> list[Retraction]:
    """What is told of the last change."""
    retractor, record, last = Retractor(bundle or small_bundle(), pseudonyms), None, changes[-1]
    for change in changes[:-1]:
        record = apply(record, change)
    taken = retractor.taken(record, apply(record, last), last)
    if taken is None:
        return []
    records = list(retractor.records(taken, last.subject, salt_of(record)))
    found = [msgspec.json.decode(value, type=Retraction) for _, value in records]
    assert [each.subject.encode() for each in found] == [key for key, _ in records]
    return found


def test_a_withdrawal_is_told_to_each_destination_of_the_purpose_under_every_epoch() -> None:
    found = told([said(YES), said({"marketing": Status.WITHDRAWN}, 20)])
    assert [(each.subject, each.destination) for each in found] == [
        ("v1.hubspot.2.k", "hubspot"), ("v1.hubspot.1.k", "hubspot"),
    ]  # fmt: skip
    assert {(each.purposes, each.effective_at, each.reason, each.regulation) for each in found} == {
        (("marketing",), 20, RetractionReason.WITHDRAWN, "gdpr")
    }


@pytest.mark.parametrize(
    ("status", "source", "reason"),
    [(Status.DENIED, "s", "denied"), (Status.WITHDRAWN, "s", "withdrawn"), (Status.WITHDRAWN, OBJECTION, "objection")],
)
def test_the_reason(status: Status, source: str, reason: str) -> None:
    found = told([said(YES), said({"analytics": status}, 20, source=source)])
    assert {each.reason for each in found} == {reason}


def test_an_opt_out_is_told_though_nothing_was_granted() -> None:
    found = told([said({"analytics": Status.GRANTED}), said({"marketing": Status.DENIED}, regulation="us_privacy")])
    assert [(each.destination, each.regulation) for each in found[:1]] == [("hubspot", "us_privacy")]


def test_erasure_and_restriction_are_told_to_all() -> None:
    for change in (
        Erasure(subject="k", identity="person", at=30, request="r"),
        Restriction(subject="k", identity="person", at=30, request="r"),
    ):
        found = told([said({"marketing": Status.DENIED}), change])
        assert {(each.destination, each.purposes) for each in found} == {
            ("clean", ("analytics",)), ("hubspot", ("marketing",)),
        }  # fmt: skip
        assert {(each.effective_at, each.regulation) for each in found} == {(30, "")}


@pytest.mark.parametrize(
    "changes",
    [
        [said({"marketing": Status.DENIED})],
        [said(YES), said(YES, 20)],
        [said({"marketing": Status.WITHDRAWN}), said({"marketing": Status.DENIED}, 20)],
        [said({"marketing": Status.GRANTED}, 20), said({"marketing": Status.WITHDRAWN}, 5, recorded_at=6)],
        [said(YES), IdentityLink(subject="k", identity="person", other="d", since=5)],
        [said(YES), Restriction(subject="k", identity="person", at=30, request="r", lifted=True)],
        [Erasure(subject="k", identity="person", at=30, request="r")],
        [
            Erasure(subject="k", identity="person", at=30, request="r"),
            Erasure(subject="k", identity="person", at=20, request="q"),
        ],
        [said(YES), said({"unknown": Status.DENIED}, 20)],
    ],
    ids=["no record", "a yes", "no again", "older than the yes", "a link", "a lift", "nobody", "erased", "no purpose"],
)
def test_what_is_not_told(changes: list[Change]) -> None:
    assert told(changes) == []


def test_a_refusal_by_a_slow_clock_is_told_as_it_is_judged() -> None:
    late = said({"marketing": Status.WITHDRAWN}, 100, recorded_at=9_000)
    assert told([said(YES, 5_000), late], small_bundle())


def test_times_are_rounded_as_the_destination_gets_them() -> None:
    bundle = small_bundle()
    coarse = [msgspec.structs.replace(each, time_bucket_ms=60_000) for each in bundle.destinations]
    bundle = msgspec.structs.replace(bundle, destinations=tuple(coarse))
    found = told([said(YES), said({"marketing": Status.WITHDRAWN}, 125_000)], bundle)
    assert {each.effective_at for each in found} == {120_000}


def test_purposes_of_rules_count_for_their_destinations() -> None:
    bundle = reference_bundle()
    needed = purposes_needed(bundle)
    assert needed.keys() == {each.id for each in bundle.destinations}
    for compiled in bundle.rules.rules:
        for destination in compiled.rule.destinations:
            assert needed[destination].issuperset(compiled.rule.purposes)
    small = small_bundle()
    rule = msgspec.structs.replace(small.rules.rules[0].rule, purposes=("functional",))
    rules = RuleSet((msgspec.structs.replace(small.rules.rules[0], rule=rule),))
    assert purposes_needed(msgspec.structs.replace(small, rules=rules))["hubspot"] == {"marketing", "functional"}
