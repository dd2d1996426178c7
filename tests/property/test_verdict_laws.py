"""Laws of the verdict: it converges, a no never widens it, leaves replay; over any record, regulation, signal, time."""

import itertools
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.circumstance import Circumstances
from tamis.domain.consent.fold import SALT_BYTES, fold
from tamis.domain.consent.judge import ALLOWED
from tamis.domain.consent.model import ConsentChange, IdentityLink, Status, SubjectRecord
from tamis.domain.consent.regulation import Minors, Places, Regulation, TcfReading
from tamis.domain.consent.replay import reevaluate
from tamis.domain.decide import Decider
from tamis.domain.directory import SubjectDirectory
from tamis.domain.event import Event, InlineConsent
from tamis.domain.identity import SubjectKeys
from tamis.domain.pseudonym import Pseudonymiser
from tamis.domain.route import Routes
from tamis.domain.rules import CompiledRule, Rule, RuleSet
from tamis.domain.standing import Standing

PURPOSES = ("analytics", "marketing")
LAWS = ("gdpr", "us_privacy")
HOUR = 3_600_000
KEYS = SubjectKeys(b"k" * 32)
PERSON, DEVICE, OTHER = KEYS.person("u"), KEYS.device("d"), KEYS.device("other")
WHO = {"person": PERSON, "device": DEVICE}
TIMES = st.integers(0, 12).map(lambda n: n * HOUR // 4)
TCF_ALL = "CQuFeUAQuFeUAEsADBENB4FgAP_gAEPgAAqIH0QAYAAgfQBwkAGAAIHCAAAA.IH0QAYAAgfQA.YAAAAAAAAAAA"
TCF_NONE = "CQuFeUAQuFeUAEsADBENB4FgAAAAAAAAAAqIAAAAAAAA.IH0QAYAAgfQA.YAAAAAAAAAAA"
SIGNALS = (
    ("tcf", TCF_ALL), ("tcf", TCF_NONE), ("tcf", TCF_ALL[:24]), ("gpp", "DBABLA~CUAVAAAAAACA.QA"), ("gpp", "DBABLA~"),
    ("gpp", "DBABTA~1YYN"), ("usp", "1YNN"), ("usp", "1YY"), ("usp", "1YYN"), ("gpc", "1"), ("gpc", "0"),
    ("gcs", "G111"), ("gcs", "G100"), ("gcd", "11r1r1r1r5"), ("gcd", "zz"), ("npa", "1"), ("state", "withdrawn"),
    ("gdpr", "1"), ("gdpr", "0"), ("sale_opt_out", "1"),
)  # fmt: skip


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _destination(name: str, valid_at: str, *purposes: str) -> Destination:
    return Destination(
        id=name, topic=f"crm.{name}", purposes=purposes, project=_nothing, field_names=(), accepts="all",
        valid_at=valid_at, max_lateness_ms=2 * HOUR,
    )  # fmt: skip


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    gdpr = Regulation(
        id="gdpr",
        sole_source=draw(st.booleans()),
        tcf=draw(st.sampled_from([None, TcfReading(purposes={"marketing": (1, 3)}, core=True)])),
        consent_mode=draw(st.sampled_from([{}, {"analytics": ("analytics_storage",)}])),
    )
    us = Regulation(id="us_privacy", silence=True, opt_outs={"sale": ("marketing",), "targeted_advertising": PURPOSES})
    policy = Policy(
        purposes=PURPOSES,
        aliases={"A": "analytics", "M": "marketing"},
        regulations=(gdpr, us),
        places=Places(
            sites={"shop": "gdpr", "us": "us_privacy"}, country=("context.country",), countries={"US": "us_privacy"}
        ),
        minors=Minors(unknown_is_adult=draw(st.booleans()), age=("context.age",)),
        max_age_ms=draw(st.sampled_from([{}, {"marketing": HOUR}])),
        notices=draw(st.sampled_from([{}, {"marketing": 2}])),
        clock_skew_ms=draw(st.sampled_from([1, HOUR])),
        max_users=draw(st.integers(1, 2)),
        grants_move=draw(st.booleans()),
        sites={"shop.test": "shop", "us.test": "us"},
    )
    rule = Rule(id="signup", version=1, owner="o", sla="4h", stage="intent", events=("signup",), destinations=("both",),
                purposes=draw(st.sampled_from([(), ("unheard",), ("analytics",)])))  # fmt: skip
    destinations = (_destination("both", "both", *PURPOSES), _destination("event", "event", "marketing"),
                    _destination("now", "now", "analytics"))  # fmt: skip
    rules = RuleSet((CompiledRule(rule, lambda _: True, lambda _: None),))
    return Bundle(hash="0" * 16, rules=rules, destinations=destinations, policy=policy)


@st.composite
def statements(draw: st.DrawFn, refusals: bool = False) -> ConsentChange:
    role = draw(st.sampled_from(["person", "device", "other"]))
    said = [Status.DENIED, Status.WITHDRAWN] if refusals else list(Status)
    effective_at = draw(TIMES)
    return ConsentChange(
        subject=OTHER if role == "other" else WHO[role],
        identity="device" if role == "other" else role,
        regulation=draw(st.sampled_from(LAWS)),
        choices=draw(st.dictionaries(st.sampled_from(PURPOSES), st.sampled_from(said), min_size=1)),
        effective_at=effective_at,
        recorded_at=effective_at + draw(st.integers(0, 8)) * HOUR // 4,
        source="test",
        expires_at=draw(st.none() | TIMES),
        notice=draw(st.sampled_from([None, "1.4", "2.0", "v3"])),
        authenticated=draw(st.booleans()),
        other=draw(st.sampled_from(["", PERSON, KEYS.person("v")])) if role != "person" else "",
    )


LINKS = st.lists(
    st.sampled_from([("device", "p"), ("device", PERSON), ("device", "q"), ("person", OTHER), ("person", DEVICE)])
).map(lambda pairs: [IdentityLink(subject=WHO[role], identity=role, other=other, since=0) for role, other in pairs])
EVENTS = st.builds(
    Event, st.just("m"), st.just("track"), st.sampled_from(["signup", "other"]), st.just(1), st.just(1),
    st.sampled_from([None, "d"]), st.sampled_from([None, "u"]), st.just({}),
    st.fixed_dictionaries({}, optional={
        "country": st.sampled_from(["US", "FR", "us ", 5]),
        "age": st.sampled_from([12, 40, "x"]),
        "page": st.sampled_from([{"url": "https://shop.test/"}, {"url": "https://us.test/x"}, {"url": "https://x.test"}]),
    }),
    st.none() | st.builds(
        InlineConsent,
        st.dictionaries(st.sampled_from("AMX"), st.booleans()),
        st.sampled_from([False, False, False, True]),
        st.lists(st.sampled_from(SIGNALS), max_size=3, unique_by=lambda pair: pair[0]).map(tuple),
    ),
    st.just("segment"),
)  # fmt: skip


def records(changes: list[Any]) -> dict[str, SubjectRecord]:
    found: dict[str, SubjectRecord] = {}
    for change in changes:
        found[change.subject] = fold(found.get(change.subject), change, b"s" * SALT_BYTES)
    return found


def decide(bundle: Bundle, stored: dict[str, SubjectRecord], event: Event, at: int, now: int) -> Standing:
    """A fresh decision, nothing cached."""
    pseudonymisers = {name: Pseudonymiser(name, "1", name.encode()) for name in ("both", "event", "now", "audit")}
    directory = SubjectDirectory(stored.get, lambda: 0, KEYS, pseudonymisers, bundle.policy.max_users)
    routes = Routes(bundle)
    compiled = bundle.rules.match(event)
    route = routes.unplanned if compiled is None else routes.by_rule[compiled.rule.id]
    subject = directory.find(event.user_id, event.anonymous_id)
    return Decider(bundle.policy).standing(subject, route, Circumstances(bundle.policy).of(event), at, now)


def leaf_of(standing: Standing, event: Event, at: int, now: int) -> dict[str, Any]:
    rule = "signup#1" if event.name == "signup" else "-"
    times = f'"at":{at},"ts":{now},"why":"{standing.reason}"'
    text = f'{{{standing.destinations},{standing.facts}{standing.revisions}{rule}",{times}}}'
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def allowed(standing: Standing) -> set[int]:
    return {send.number for send in standing.sends}


MANY = settings(max_examples=250, deadline=None)


@MANY
@given(bundles(), st.lists(statements(), max_size=6), LINKS, EVENTS, TIMES, TIMES)
def test_a_leaf_re_evaluates_to_the_verdict_it_states(
    bundle: Bundle, said: list[ConsentChange], links: list[IdentityLink], event: Event, at: int, now: int
) -> None:
    standing = decide(bundle, records([*said, *links]), event, at, now)
    leaf = leaf_of(standing, event, at, now)
    found = reevaluate(leaf, bundle)
    assert found is not None
    assert found.agrees(leaf)
    assert found.decision == standing.decision
    assert (found.decision == "allow") == (standing.outcome == "accepted") == bool(standing.sends)
    assert list(leaf["facts"]) == sorted(leaf["facts"])


@MANY
@given(bundles(), st.lists(statements(), max_size=6), LINKS, statements(refusals=True), EVENTS, TIMES, TIMES)
def test_one_more_refusal_never_widens(
    bundle: Bundle, said: list[ConsentChange], links: list[IdentityLink], refusal: ConsentChange, event: Event, at: int,
    now: int,
) -> None:  # fmt: skip
    refusal = msgspec.structs.replace(refusal, other="")
    before = records([*said, *links])
    if refusal.subject not in before:  # the first statement of a subject makes its record: then silence may be yes
        before |= records([msgspec.structs.replace(refusal, choices={})])
    after = dict(before)
    after[refusal.subject] = fold(before[refusal.subject], refusal, b"")
    assert allowed(decide(bundle, after, event, at, now)) <= allowed(decide(bundle, before, event, at, now))


@MANY
@given(bundles(), st.lists(statements(), max_size=6), LINKS, EVENTS, TIMES, TIMES, st.sampled_from(SIGNALS))
def test_one_more_signal_never_widens_where_it_only_narrows(
    bundle: Bundle, said: list[ConsentChange], links: list[IdentityLink], event: Event, at: int, now: int,
    signal: tuple[str, str],
) -> None:  # fmt: skip
    laws = tuple(msgspec.structs.replace(law, sole_source=False) for law in bundle.policy.regulations)
    bundle = msgspec.structs.replace(bundle, policy=msgspec.structs.replace(bundle.policy, regulations=laws))
    stored, consent = records([*said, *links]), event.consent or InlineConsent({})
    more = msgspec.structs.replace(consent, signals=(*consent.signals, signal))
    before = decide(bundle, stored, event, at, now)
    after = decide(bundle, stored, msgspec.structs.replace(event, consent=more), at, now)
    assert allowed(after) <= allowed(before)


@settings(max_examples=60, deadline=None)
@given(bundles(), st.lists(statements(), min_size=1, max_size=4), EVENTS, TIMES)
def test_every_order_of_arrival_comes_to_one_verdict(
    bundle: Bundle, said: list[ConsentChange], event: Event, at: int
) -> None:
    now = 12 * HOUR
    verdicts = {
        (standing.destinations, standing.outcome, standing.reason, standing.facts)
        for order in itertools.permutations(said)
        for standing in (decide(bundle, records([*order, *order[:1]]), event, at, now),)
    }
    assert len(verdicts) == 1


@MANY
@given(bundles(), st.lists(statements(), max_size=6), EVENTS, TIMES, TIMES)
def test_unknown_lets_nothing_out_and_only_a_yes_is_missing(
    bundle: Bundle, said: list[ConsentChange], event: Event, at: int, now: int
) -> None:
    standing = decide(bundle, records(said), event, at, now)
    reasons = set(msgspec.json.decode("{" + standing.destinations + "}")["dest"].values())
    if standing.decision == "unknown":
        assert not standing.sends
        assert reasons & {"no_record", "no_choice"}
    assert bool(reasons & ALLOWED) == bool(standing.sends)


@given(bundles(), TIMES, st.integers(0, HOUR), st.integers(0, HOUR), st.integers(1, 4 * HOUR))
def test_a_withdrawal_with_a_slow_clock_is_not_lost(
    bundle: Bundle, granted_at: int, slow: int, later: int, transport: int
) -> None:
    """Made after the grant, stamped up to the bound too early, received after it was made: it holds."""
    skew = bundle.policy.clock_skew_ms
    made_at, slow = granted_at + later, min(slow, skew)
    common: dict[str, Any] = {"subject": DEVICE, "identity": "device", "regulation": "gdpr", "source": "test"}
    grant = ConsentChange(
        **common, choices=dict.fromkeys(PURPOSES, Status.GRANTED), effective_at=granted_at, recorded_at=granted_at
    )
    withdrawal = ConsentChange(
        **common, choices=dict.fromkeys(PURPOSES, Status.WITHDRAWN), effective_at=made_at - slow,
        recorded_at=made_at + transport,
    )  # fmt: skip
    stored = records([grant, withdrawal])
    now = made_at + transport + 5 * HOUR
    event = Event("m", "track", "x", 1, 1, "d", None, {}, {"page": {"url": "https://shop.test/"}}, None, "segment")
    assert "both" not in {bundle.destinations[n].id for n in allowed(decide(bundle, stored, event, now, now))}
    assert not allowed(decide(bundle, stored, event, now, now))


def test_without_a_record_of_its_own_a_person_is_allowed_nothing_whatever_their_device_said() -> None:
    """An expired grant on the device is silence where silence is yes, but the person has no record."""
    change = ConsentChange(
        subject=DEVICE, identity="device", regulation="us_privacy", choices=dict.fromkeys(PURPOSES, Status.GRANTED),
        effective_at=0, recorded_at=0, source="test", expires_at=1,
    )  # fmt: skip
    yes = InlineConsent(dict.fromkeys("AM", True))
    for sole_source in (False, True):
        law = Regulation(id="us_privacy", silence=True, sole_source=sole_source)
        policy = Policy(purposes=PURPOSES, aliases={"A": "analytics", "M": "marketing"}, regulations=(law,))
        bundle = Bundle(
            hash="0" * 16, rules=RuleSet(()), destinations=(_destination("now", "now", *PURPOSES),), policy=policy
        )
        event = Event("m", "track", "x", 1, 1, "d", "u", {}, {}, yes, "segment")
        standing = decide(bundle, records([change]), event, HOUR, HOUR)
        assert (standing.sends, standing.decision, standing.reason) == ((), "unknown", "no_record")
