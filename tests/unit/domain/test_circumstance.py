"""Which regulations an event falls under, whose age it tells, and that equal events share a circumstance."""

from typing import Any

import pytest

from tamis.domain.bundle import Policy
from tamis.domain.circumstance import Circumstances
from tamis.domain.consent.regulation import Minors, Places, Regulation, TcfReading
from tamis.domain.event import Event, InlineConsent
from tamis.domain.outcome import Reason

US = Regulation(id="us", silence=True, opt_outs={"sale": ("ads",), "targeted_advertising": ("ads",)})
EU = Regulation(id="eu", tcf=TcfReading(purposes={"ads": (1,)}, core=True))
POLICY = Policy(
    purposes=("ads",),
    aliases={"Ads": "ads"},
    regulations=(EU, US),
    sites={"shop.test": "shop", "us.test": "us_shop", "new.test": "new"},
    places=Places(
        sites={"shop": "eu", "us_shop": "us"}, country=("context.country",), region=("context.region",),
        countries={"FR": "eu", "US": "us", "US-XX": "eu"},
    ),
    minors=Minors(age=("context.age",), child=("context.child",)),
)  # fmt: skip


def event(consent: InlineConsent | None = None, host: str = "", **context: Any) -> Event:
    if host:
        context["page"] = {"url": f"https://{host}/"}
    return Event("m", "track", "x", 1, 1, "d", None, {}, context, consent, "segment")


def reg(consent: InlineConsent | None = None, host: str = "", **context: Any) -> str:
    return Circumstances(POLICY).of(event(consent, host, **context)).reg


@pytest.mark.parametrize(
    ("host", "context", "expected"),
    [
        ("", {}, "eu+us"),
        ("shop.test", {}, "eu"),
        ("us.test", {}, "us"),
        ("new.test", {}, "eu+us"),
        ("other.test", {}, "eu+us"),
        ("", {"country": "FR"}, "eu"),
        ("", {"country": " us "}, "us"),
        ("", {"country": "US", "region": "XX"}, "eu"),
        ("", {"country": "US", "region": "US-XX"}, "eu"),
        ("", {"country": "US", "region": "CA"}, "us"),
        ("", {"country": "DE"}, "eu+us"),
        ("us.test", {"country": "DE"}, "eu+us"),
        ("us.test", {"country": "FR"}, "eu+us"),
        ("us.test", {"country": ["US"]}, "eu+us"),
        ("us.test", {"country": ""}, "us"),
    ],
)
def test_the_place(host: str, context: dict[str, Any], expected: str) -> None:
    assert reg(None, host, **context) == expected


def test_a_sender_adds_the_gdpr_and_never_takes_it_away() -> None:
    assert reg(InlineConsent({}, signals=(("gdpr", "1"),)), "us.test") == "eu+us"
    assert reg(InlineConsent({}, signals=(("gdpr", "0"),)), "shop.test") == "eu"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, "unknown"), ({"age": 40}, "adult"), ({"age": 17.5}, "child"), ({"age": "40"}, "child"),
        ({"age": True}, "child"), ({"child": True}, "child"), ({"child": False}, "adult"), ({"child": "no"}, "child"),
        ({"child": False, "age": 5}, "child"),
    ],
)  # fmt: skip
def test_the_age(context: dict[str, Any], expected: str) -> None:
    assert Circumstances(POLICY).of(event(**context)).age == expected


def test_signals_are_read_under_each_regulation_alone() -> None:
    found = Circumstances(POLICY).of(event(InlineConsent({}, signals=(("gpc", "1"),))))
    assert [finding.refusal("ads") for finding in found.findings] == [None, Reason.OPTED_OUT]
    broken = Circumstances(POLICY).of(event(InlineConsent({}, signals=(("tcf", "C"), ("usp", "1YNN")))))
    assert [finding.refusal("ads") for finding in broken.findings] == [Reason.INLINE_MALFORMED, None]


def test_equal_meaning_is_one_circumstance_and_others_have_other_numbers() -> None:
    circumstances = Circumstances(POLICY)
    plain = circumstances.of(event())
    assert circumstances.of(event(InlineConsent({"Unheard": False}))) is plain
    refused = circumstances.of(event(InlineConsent({"Ads": False})))
    assert circumstances.of(event(InlineConsent({"Ads": False, "Unheard": True}))) is refused
    others = [event(host="shop.test"), event(age=40), event(InlineConsent({}, malformed=True)), event()]
    assert len({circumstances.of(other).id for other in others} | {refused.id}) == 5
