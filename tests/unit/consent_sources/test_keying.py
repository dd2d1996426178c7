"""From statements to changes: purposes, identities, regulations, dates."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.statement import Statement
from tamis.domain.bundle import Policy
from tamis.domain.consent.model import ConsentChange, Status
from tamis.domain.consent.regulation import Regulation
from tamis.domain.identity import SubjectKeys

KEYS = SubjectKeys(b"k" * 32)
POLICY = Policy(
    purposes=("analytics", "marketing", "email"),
    aliases={
        "analytics": "analytics", "marketing": "marketing", "email": "email",
        "Analytics": "analytics", "Advertising": "marketing", "Retargeting": "marketing",
    },
)  # fmt: skip
YES, NO, GONE = Status.GRANTED, Status.DENIED, Status.WITHDRAWN


def changes(**values: Any) -> tuple[list[ConsentChange], Counter[str]]:
    given: dict[str, Any] = {"source": "s", "choices": {"analytics": YES}, "person": "u-1", "effective_at": 500}
    ignored: Counter[str] = Counter()
    return list(Keying(POLICY, KEYS).changes(Statement(**(given | values)), 1_000, ignored)), ignored


def test_each_identity_gets_the_change_as_stated() -> None:
    found, ignored = changes(device="d-1", seq=3, notice="v1", authenticated=True, expires_at=9_000)
    assert [(c.identity, c.subject) for c in found] == [
        ("person", KEYS.person("u-1")),
        ("device", KEYS.device("d-1")),
    ]
    for change in found:
        assert (change.choices, change.effective_at, change.recorded_at, change.seq) == (
            {"analytics": YES},
            500,
            1_000,
            3,
        )
        assert (change.notice, change.authenticated, change.expires_at, change.regulation) == (
            "v1",
            True,
            9_000,
            "gdpr",
        )
    assert not ignored


def test_nobody_is_no_subject() -> None:
    assert changes(person=None) == ([], Counter(no_subject=1))


def test_unknown_categories_are_counted_and_left_out() -> None:
    found, ignored = changes(choices={"Analytics": YES, "analyticS": YES, "x": NO})
    assert found[0].choices == {"analytics": YES}
    assert ignored == {"unknown_category": 2}


def test_nothing_known_is_no_change() -> None:
    assert changes(choices={"x": YES}) == ([], Counter(unknown_category=1))


def test_the_strictest_of_several_categories_of_one_purpose_holds() -> None:
    for order in (("Advertising", "Retargeting"), ("Retargeting", "Advertising")):
        found, _ = changes(choices={order[0]: YES, order[1]: NO})
        assert found[0].choices == {"marketing": NO}
    found, _ = changes(choices={"Advertising": GONE, "Retargeting": NO})
    assert found[0].choices == {"marketing": GONE}


def test_a_complete_statement_refuses_what_its_vendor_leaves_out() -> None:
    found, _ = changes(choices={"Analytics": YES}, complete=True)
    assert found[0].choices == {"analytics": YES, "marketing": NO}, "email has no vendor category: untouched"


def test_under_an_unknown_regulation_only_refusals_count_a_known_one_is_kept_apart() -> None:
    found, ignored = changes(regulation="martian-law", choices={"Analytics": YES, "email": NO})
    assert [(each.regulation, each.choices) for each in found] == [("gdpr", {"email": NO})]
    assert ignored == Counter(unknown_regulation=1)
    assert changes(regulation="martian-law", choices={"Analytics": YES}) == ([], Counter(unknown_regulation=1))
    found, _ = changes(regulation="ccpa")
    assert found[0].regulation == "ccpa"


@pytest.mark.parametrize("name", ["ccpa", "CPRA", "ccpa-cpra", "us_privacy", "usnat", "California", "vcdpa"])
def test_other_names_of_a_law_are_filed_under_the_policys(name: str) -> None:
    laws = Regulation(id="gdpr"), Regulation(id="us_privacy", silence=True)
    keying = Keying(msgspec.structs.replace(POLICY, regulations=laws), KEYS)
    for status in (YES, NO):
        said = Statement(source="s", choices={"analytics": status}, device="d", regulation=name, effective_at=1)
        (change,) = keying.changes(said, 2, Counter())
        assert (change.regulation, change.choices) == ("us_privacy", {"analytics": status})


def test_no_choice_takes_effect_after_it_was_received() -> None:
    found, _ = changes(effective_at=99_000)
    assert found[0].effective_at == 1_000


def test_without_a_date_only_refusals_count() -> None:
    found, ignored = changes(choices={"analytics": YES, "marketing": NO}, effective_at=None)
    assert (found[0].choices, found[0].effective_at) == ({"marketing": NO}, 1_000)
    assert ignored == {"undated_grant": 1}


def test_an_undated_grant_is_not_turned_into_a_refusal() -> None:
    found, ignored = changes(choices={"Analytics": YES}, effective_at=None, complete=True)
    assert found[0].choices == {"marketing": NO}
    assert ignored == {"undated_grant": 1}


def test_every_regulation_that_is_judged_is_recorded_whatever_its_name() -> None:
    policy = msgspec.structs.replace(POLICY, regulations=(Regulation(id="gdpr"), Regulation(id="us_xx", silence=True)))
    ignored: Counter[str] = Counter()
    said = Statement(source="s", choices={"analytics": Status.DENIED}, device="d", regulation="us_xx", effective_at=1)
    (change,) = Keying(policy, KEYS).changes(said, 2, ignored)
    assert (change.regulation, ignored) == ("us_xx", Counter())
