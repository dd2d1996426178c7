"""The canonical form: what is read, what is refused, what counts as a yes."""

import json
from typing import Any

import pytest

from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid

FULL: dict[str, Any] = {
    "type": "consent",
    "identity": {"person": "u-1", "device": "d-1"},
    "regulation": "gdpr",
    "choices": {"analytics": "granted", "marketing": "denied", "ads": "withdrawn"},
    "effective_at": "2026-11-22T03:51:46.897Z",
    "expires_at": 1_900_000_000_000,
    "notice": "v3",
    "source": "preference-centre",
    "seq": 7,
    "authenticated": True,
}
NOW = 1_795_319_506_897


def read(**changed: Any) -> Statement | Invalid:
    body = {name: value for name, value in (FULL | changed).items() if value is not ...}
    found = ConsentReader().read(json.dumps(body).encode())
    assert isinstance(found, list)
    assert len(found) == 1
    return found[0]


def stated(**changed: Any) -> Statement:
    found = read(**changed)
    assert isinstance(found, Statement)
    return found


def test_every_field_is_read() -> None:
    assert stated() == Statement(
        source="preference-centre",
        choices={"analytics": Status.GRANTED, "marketing": Status.DENIED, "ads": Status.WITHDRAWN},
        person="u-1",
        device="d-1",
        regulation="gdpr",
        effective_at=NOW,
        expires_at=1_900_000_000_000,
        seq=7,
        notice="v3",
        authenticated=True,
    )


def test_only_what_is_needed() -> None:
    short = stated(regulation=..., expires_at=..., notice=..., source=..., seq=..., authenticated=..., extra={"x": 1})
    assert (short.regulation, short.expires_at, short.notice, short.source, short.seq) == (
        None,
        None,
        None,
        "canonical",
        0,
    )
    assert not short.authenticated


@pytest.mark.parametrize("word", ["pending", "GRANTED", "yes", "implicit", "", None, True, 1, [], {"granted": True}])
def test_any_other_status_is_a_refusal(word: Any) -> None:
    assert stated(choices={"analytics": word}).choices == {"analytics": Status.DENIED}


@pytest.mark.parametrize("value", ["true", 1, None, "yes"])
def test_authenticated_only_when_it_says_true(value: Any) -> None:
    assert not stated(authenticated=value).authenticated


@pytest.mark.parametrize("text", ["2026-11-22T03:51:46.897+00:00", "2026-11-22T04:51:46.897+0100", NOW])
def test_times_with_a_zone_or_in_milliseconds(text: Any) -> None:
    assert stated(effective_at=text).effective_at == NOW


@pytest.mark.parametrize(
    ("changed", "reason", "path"),
    [
        ({"effective_at": ...}, "missing_field", "$.effective_at"),
        ({"effective_at": None}, "missing_field", "$.effective_at"),
        ({"effective_at": "2026-11-22T03:51:46"}, "bad_time", "$.effective_at"),
        ({"effective_at": "yesterday"}, "bad_time", "$.effective_at"),
        ({"effective_at": 1_795_319_506}, "bad_time", "$.effective_at"),
        ({"effective_at": True}, "bad_time", "$.effective_at"),
        ({"effective_at": 1.5}, "bad_time", "$.effective_at"),
        ({"effective_at": -5}, "bad_time", "$.effective_at"),
        ({"effective_at": 10**15}, "bad_time", "$.effective_at"),
        ({"expires_at": "soon"}, "bad_time", "$.expires_at"),
        ({"identity": ...}, "missing_field", "$.identity"),
        ({"identity": {}}, "missing_field", "$.identity"),
        ({"identity": "u-1"}, "wrong_type", "$.identity"),
        ({"identity": {"person": ["u"]}}, "wrong_type", "$.identity.person"),
        ({"identity": {"device": 1.5}}, "wrong_type", "$.identity.device"),
        ({"identity": {"device": False}}, "wrong_type", "$.identity.device"),
        ({"choices": ...}, "missing_field", "$.choices"),
        ({"choices": ["analytics"]}, "wrong_type", "$.choices"),
        ({"regulation": 5}, "wrong_type", "$.regulation"),
        ({"seq": "7"}, "wrong_type", "$.seq"),
        ({"seq": -1}, "wrong_type", "$.seq"),
        ({"seq": 2**70}, "wrong_type", "$.seq"),
    ],
)
def test_refused_with_reason_and_path(changed: dict[str, Any], reason: str, path: str) -> None:
    assert read(**changed) == Invalid(reason, path)


def test_numbers_are_ids_and_placeholders_are_none() -> None:
    said = stated(identity={"person": 42, "device": "undefined"})
    assert (said.person, said.device) == ("42", None)


@pytest.mark.parametrize("value", ["ada@example.com", "x" * 65, "a b", 5, ["v3"]])
def test_labels_that_are_not_plain_are_dropped(value: Any) -> None:
    said = stated(notice=value, source=value)
    assert (said.notice, said.source) == (None, "canonical")


def test_no_identity_in_the_repr() -> None:
    assert "u-1" not in repr(stated())
    assert "d-1" not in repr(stated())
