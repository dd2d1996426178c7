"""Laws of the decision: denials never widen it, a cached decision equals a fresh one, silence is never a yes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.circumstance import Circumstances
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.decide import Decider
from tamis.domain.event import Event, InlineConsent
from tamis.domain.pseudonym import Pseudonymiser
from tamis.domain.route import Routes
from tamis.domain.rules import CompiledRule, Rule, RuleSet
from tamis.domain.standing import Standing
from tamis.domain.subject import Subject

PURPOSES = ("analytics", "marketing")
DAY = 86_400_000
TIMES = st.integers(0, 40) | st.integers(0, 40 * DAY)


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _bundle(valid_at: str = "both") -> Bundle:
    def destination(name: str, *purposes: str, accepts: str = "tagged") -> Destination:
        return Destination(
            id=name, topic=f"crm.{name}", purposes=purposes, project=_nothing, field_names=(), accepts=accepts,
            valid_at=valid_at, max_lateness_ms=100 * DAY,
        )  # fmt: skip

    rule = Rule(
        id="signup", version=1, owner="growth", sla="4h", stage="intent", events=("signup",),
        destinations=("hubspot", "all"),
    )  # fmt: skip
    return Bundle(
        hash="0" * 16,
        rules=RuleSet((CompiledRule(rule, lambda _: True, lambda _: None),)),
        destinations=(destination("all", *PURPOSES), destination("clean", "analytics", accepts="all"),
                      destination("hubspot", "marketing"), destination("open")),
        policy=Policy(purposes=PURPOSES, aliases={"A": "analytics", "M": "marketing"}, max_age_ms={"marketing": DAY}),
    )  # fmt: skip


VERSIONS = st.builds(
    PurposeVersion,
    status=st.sampled_from(Status),
    effective_at=TIMES,
    recorded_at=st.just(0),
    source=st.just("test"),
    expires_at=st.none() | TIMES,
)


def _newest_first(versions: list[PurposeVersion]) -> tuple[PurposeVersion, ...]:
    return tuple(sorted(versions, key=lambda v: v.effective_at, reverse=True))


RECORDS = st.builds(
    SubjectRecord,
    salt=st.sampled_from(["", "c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ"]),
    revision=st.integers(1, 9),
    identity=st.just("device"),
    purposes=st.dictionaries(
        st.sampled_from([f"gdpr/{p}" for p in PURPOSES]),
        st.lists(VERSIONS, max_size=4, unique_by=lambda v: v.effective_at).map(_newest_first),
    ),
)
SUBJECTS = st.tuples(st.none() | RECORDS, st.none() | RECORDS, st.booleans())
INLINE = st.none() | st.builds(
    InlineConsent, choices=st.dictionaries(st.sampled_from("AMX"), st.booleans()), malformed=st.booleans()
)


def _subject(primary: SubjectRecord | None, secondary: SubjectRecord | None, person: bool) -> Subject:
    domains = ("all", "clean", "hubspot", "open", "audit")
    roles = ("person", "device") if person else ("device",)
    pseudonymisers = {domain: Pseudonymiser(domain, "1", domain.encode()) for domain in domains}
    return Subject("key", primary, secondary if person else None, roles, pseudonymisers)


def _event(inline: InlineConsent | None) -> Event:
    return Event("m-1", "track", "signup", 1, 1, "d", "u", {}, {}, inline, "segment")


class Case:
    def __init__(self, valid_at: str = "both") -> None:
        self.bundle = _bundle(valid_at)
        self.decider = Decider(self.bundle.policy)
        self.routes = Routes(self.bundle)
        self.circumstances = Circumstances(self.bundle.policy)

    def standing(self, subject: Subject, inline: InlineConsent | None, at: int, now: int, tagged: bool) -> Standing:
        route = self.routes.by_rule["signup"] if tagged else self.routes.unplanned
        return self.decider.standing(subject, route, self.circumstances.of(_event(inline)), at, now)


def _allowed(standing: Standing) -> set[int]:
    return {send.number for send in standing.sends}


@settings(max_examples=300, deadline=None)
@given(SUBJECTS, INLINE, TIMES, TIMES, st.booleans(), TIMES, TIMES, st.sampled_from(["both", "event", "now"]))
def test_a_cached_decision_equals_a_fresh_one_within_its_span(
    parts: tuple[SubjectRecord | None, SubjectRecord | None, bool],
    inline: InlineConsent | None, at: int, now: int, tagged: bool, later_at: int, other_now: int, valid_at: str,
) -> None:  # fmt: skip
    case, subject = Case(valid_at), _subject(*parts)
    kept = case.standing(subject, inline, at, now, tagged)
    assert kept.since <= at < kept.until
    assert kept.now_since <= now < kept.now_until
    if kept.since <= later_at < kept.until and kept.now_since <= other_now < kept.now_until:
        fresh = case.standing(subject, inline, later_at, other_now, tagged)
        assert fresh.sends == kept.sends
        assert fresh.destinations == kept.destinations
        assert fresh.facts == kept.facts


@settings(max_examples=300, deadline=None)
@given(SUBJECTS, INLINE, TIMES, TIMES, st.sampled_from(PURPOSES), st.sampled_from([Status.DENIED, Status.WITHDRAWN]))
def test_a_newer_refusal_never_widens(
    parts: tuple[SubjectRecord | None, SubjectRecord | None, bool],
    inline: InlineConsent | None, at: int, now: int, purpose: str, status: Status,
) -> None:  # fmt: skip
    case = Case()
    before = _allowed(case.standing(_subject(*parts), inline, at, now, tagged=True))
    primary, secondary, person = parts
    refusal = PurposeVersion(status=status, effective_at=now, recorded_at=now, source="test")
    for which in (0, 1):
        record = (primary, secondary)[which]
        if record is None:
            continue
        scope = f"gdpr/{purpose}"
        kept = [v for v in record.purposes.get(scope, ()) if v.effective_at != now]
        purposes = {**record.purposes, scope: _newest_first([refusal, *kept])}
        changed = SubjectRecord(salt=record.salt, revision=2, identity="device", purposes=purposes)
        pair = (changed, secondary) if which == 0 else (primary, changed)
        after = _allowed(case.standing(_subject(pair[0], pair[1], person), inline, at, now, tagged=True))
        assert after <= before


@given(SUBJECTS, INLINE, TIMES, TIMES)
def test_inline_signals_only_narrow(
    parts: tuple[SubjectRecord | None, SubjectRecord | None, bool], inline: InlineConsent | None, at: int, now: int
) -> None:
    case = Case()
    without = _allowed(case.standing(_subject(*parts), None, at, now, tagged=True))
    assert _allowed(case.standing(_subject(*parts), inline, at, now, tagged=True)) <= without


@given(SUBJECTS, TIMES, TIMES, st.booleans())
def test_without_a_salted_record_nothing_leaves(
    parts: tuple[SubjectRecord | None, SubjectRecord | None, bool], at: int, now: int, tagged: bool
) -> None:
    primary, secondary, person = parts
    if primary is None or not primary.salt:
        standing = Case().standing(_subject(primary, secondary, person), None, at, now, tagged)
        assert not standing.sends
        assert standing.outcome == "denied"


@given(SUBJECTS, INLINE, TIMES, TIMES)
def test_a_destination_without_purposes_gets_nothing(
    parts: tuple[SubjectRecord | None, SubjectRecord | None, bool], inline: InlineConsent | None, at: int, now: int
) -> None:
    standing = Case().standing(_subject(*parts), inline, at, now, tagged=True)
    assert 3 not in _allowed(standing)
    assert '"open"' not in standing.destinations
