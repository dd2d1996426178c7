import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import Status
from tamis.domain.differences import Change, Differences, verdicts
from tamis.domain.rules import CompiledRule, RuleSet
from tamis.intake import Intake
from tamis.records.batch import Emissions, RawBatch
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track


def _with_rules(bundle: Bundle, *changed: CompiledRule) -> Bundle:
    return msgspec.structs.replace(bundle, hash="fedcba9876543210", rules=RuleSet(changed))


def _process(intake: Intake, *values: bytes) -> Emissions:
    records = [StoredRecord(n, START, value) for n, value in enumerate(values)]
    return intake.process(AuditLog("events.raw/0"), RawBatch("events.raw", 0, records, 0, len(records), START))


def _shadowed(candidate: Bundle, consent: ConsentTable) -> Intake:
    active = small_intake(consent)
    active.shadow = small_intake(consent, candidate)
    return active


def _granted() -> ConsentTable:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    return consent


def test_without_a_candidate_nothing_is_compared() -> None:
    assert _process(small_intake(_granted()), track()).differences is None


def test_the_same_rules_differ_in_nothing() -> None:
    found = _process(_shadowed(small_bundle(), _granted()), track(), track("m-2", "Other"), b"{").differences
    assert found is not None
    assert (found.events, found.differing, found.changes) == (2, 0, {})


def test_a_rule_that_is_gone_changes_rule_stage_and_the_verdict_of_its_destination() -> None:
    found = _process(_shadowed(_with_rules(small_bundle()), _granted()), track()).differences
    assert found is not None
    assert found.changes == {Change("newsletter_signup", "", "intent", "", "hubspot", "granted", "-"): 1}


def test_another_stage_alone_is_a_difference_without_destination() -> None:
    [compiled] = small_bundle().rules.rules
    later = msgspec.structs.replace(compiled, rule=msgspec.structs.replace(compiled.rule, stage="purchase", version=9))
    found = _process(_shadowed(_with_rules(small_bundle(), later), _granted()), track()).differences
    assert found is not None
    assert found.changes == {
        Change("newsletter_signup", "newsletter_signup", "intent", "purchase", "", "accepted", "accepted"): 1
    }


def test_another_version_alone_is_no_difference() -> None:
    [compiled] = small_bundle().rules.rules
    later = msgspec.structs.replace(compiled, rule=msgspec.structs.replace(compiled.rule, version=9))
    found = _process(_shadowed(_with_rules(small_bundle(), later), _granted()), track()).differences
    assert found is not None
    assert found.differing == 0


def test_what_is_written_does_not_depend_on_a_candidate() -> None:
    plain = _process(small_intake(_granted()), track(), track("m-2", "Other"))
    beside = _process(_shadowed(_with_rules(small_bundle()), _granted()), track(), track("m-2", "Other"))
    assert (plain.leaves, plain.outputs, plain.head) == (beside.leaves, beside.outputs, beside.head)


def test_a_candidate_sees_a_withdrawal_when_the_active_bundle_does() -> None:
    consent = _granted()
    intake = _shadowed(small_bundle(), consent)
    _process(intake, track())
    consent.set_device("device-1", analytics=Status.WITHDRAWN, marketing=Status.WITHDRAWN)
    found = _process(intake, track()).differences
    assert found is not None
    assert found.differing == 0


def test_counts_add_up() -> None:
    one, other = Differences(), Differences()
    one.note(("a", "b"), ("s", "s"), {"clean": "granted"}, {}, ("accepted", "denied"))
    one.events = other.events = 3
    other.add(one)
    other.add(one)
    assert (other.events, other.differing) == (9, 2)
    assert other.changes == {Change("a", "b", "s", "s", "clean", "granted", "-"): 2}


def test_verdicts_of_a_leaf() -> None:
    assert verdicts('"dest":{"clean":"granted","hubspot":"denied"}') == {"clean": "granted", "hubspot": "denied"}
    assert verdicts('"dest":{}') == {}
