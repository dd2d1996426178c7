"""Vendors' forms beyond the captured files: words, times, identities, traps."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tamis.consent_sources.registry import SOURCES, ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid

G, D, W = Status.GRANTED, Status.DENIED, Status.WITHDRAWN
AT = 1_739_692_800_000
TCF = "CQuFeUAQuFeUAEsADBENB4FgAP_gAEPgAAqIH0QAYAAgfQBwkAGAAIHCAAAA.IH0QAYAAgfQA.YAAAAAAAAAAA"


def read(body: Any) -> list[Statement]:
    found = ConsentReader().read(body if isinstance(body, bytes) else orjson.dumps(body))
    assert isinstance(found, list), found
    assert all(isinstance(entry, Statement) for entry in found), found
    return [entry for entry in found if isinstance(entry, Statement)]


def refused(body: Any) -> Invalid:
    found = ConsentReader().read(body if isinstance(body, bytes) else orjson.dumps(body))
    (entry,) = found if isinstance(found, list) else [found]
    assert isinstance(entry, Invalid)
    return entry


def onetrust(*profiles: tuple[str, str, str], **payload: Any) -> dict[str, Any]:
    rows = [
        {
            "purposeId": purpose,
            "purposeName": purpose.title(),
            "profileFields": {"TransactionStatus": word, "LastTransaction": at},
        }
        for purpose, word, at in profiles
    ]
    inner = {"dataSubjectIdentifier": "jdoe@example.test", "dataSubjectIdentifierType": "Email", "profiles": rows}
    return {
        "eventId": "e-1", "eventTime": "2025-02-16T08:00:00.000+0000", "eventType": "3010", "messageSequenceNumber": 7,
        "payload": inner | payload,
    }  # fmt: skip


def test_onetrust_3010_gives_a_statement_for_each_time_of_choice() -> None:
    found = read(
        onetrust(("marketing", "ACTIVE", "1739692800"), ("ads", "WITHDRAWN", ""), ("x", "PENDING", "1739692800"))
    )
    assert [(s.effective_at, s.choices, s.unclear, s.seq) for s in found] == [
        (AT, {"marketing": G, "x": D, "ads": W}, frozenset({"x"}), 7)
    ]
    assert (found[0].person, found[0].device, found[0].event_id) == ("jdoe@example.test", None, "e-1")
    assert found[0].titles["ads"] == "Ads"
    two = read(onetrust(("marketing", "ACTIVE", "1543832130"), ("ads", "OPT_OUT", "1739692800")))
    assert [(s.effective_at, s.choices) for s in two] == [(1_543_832_130_000, {"marketing": G}), (AT, {"ads": D})]


@pytest.mark.parametrize(
    "word", ["NO_CHOICE", "IMPLICIT", "PENDING", "EXTEND", "NONE", "", None, 1, "granted", ["ACTIVE"]]
)
def test_onetrust_words_that_are_no_yes(word: Any) -> None:
    assert read(onetrust(("marketing", word, "1739692800")))[0].choices == {"marketing": D}


def test_onetrust_unsubscribe_all_refuses_everything_and_test_subjects_say_nothing() -> None:
    (found,) = read(onetrust(("marketing", "ACTIVE", "1739692800"), unsubscribeAll=True))
    assert (found.choices, found.complete) == ({"marketing": D}, True)
    assert read(onetrust(("marketing", "ACTIVE", "1"), testDataSubject=True)) == []
    (nothing,) = read(onetrust(unsubscribeAll=True))
    assert (nothing.choices, nothing.complete) == ({}, True)


def test_onetrust_subjects_may_be_devices() -> None:
    (found,) = read(onetrust(("m", "ACTIVE", ""), dataSubjectIdentifierType="Cookie Unique Id"))
    assert (found.person, found.device) == (None, "jdoe@example.test")


@pytest.mark.parametrize(
    "stamp", ["Sun Feb 31 2025 09:00:00 GMT+0100", "yesterday", "Sun Xyz 16 2025 09:00:00 GMT+0100"]
)
def test_onetrust_cookie_dates_are_read_exactly_or_refused(stamp: str) -> None:
    text = f"groups=C0001%3A1&datestamp={stamp.replace('+', '%2B').replace(' ', '+')}&consentId=c"
    assert refused(text.encode()) == Invalid("bad_time", "$.datestamp")


def test_onetrust_receipts_may_carry_a_consent_string() -> None:
    body = {"identifier": "u", "requestInformation": "x", "interactionDate": "2025-02-16T08:00:00Z", "purposes": []}
    (found,) = read(body | {"consentString": {"type": "TCF_EU", "content": TCF}})
    assert found.of_strings["tcf.1"] is G
    for strange in ({"type": "TCF_CANADA", "content": TCF}, {"type": "TCF_EU", "content": TCF[:24]}, "x"):
        (found,) = read(body | {"consentString": strange})
        assert set(found.of_strings.values()) == {D}


def test_usercentrics_webhook_with_time_and_string() -> None:
    body = {
        "controller_id": "c", "timestamp": AT, "consent_string": TCF, "webhook_version": "v1",
        "consents": [{"consent_status": True, "dps_id": "a"}, {"consent_status": "true", "dps_id": "b"}],
    }  # fmt: skip
    (found,) = read(body)
    assert (found.choices, found.unclear, found.effective_at) == ({"a": G, "b": D}, frozenset({"b"}), AT)
    assert (found.of_strings["tcf.1"], len(found.of_strings)) == (G, 11)


@pytest.mark.parametrize("at", [1_739_692_800, AT])
def test_ketch_times_are_seconds_or_milliseconds(at: int) -> None:
    body = {"apiVersion": "consent/v1", "kind": "ConsentRequest", "request": {
        "collectedAt": at, "purposes": {"a": "granted", "b": "maybe", "c": {"consent": "granted"}},
        "identities": [{"identitySpace": "swb_shop", "identityValue": "d"},
            {"identitySpace": "email", "identityValue": "P@example.test"}],
    }}  # fmt: skip
    (found,) = read(body)
    assert (found.effective_at, found.choices, found.unclear) == (AT, {"a": G, "b": D, "c": G}, frozenset({"b"}))
    assert (found.device, found.person) == ("d", "p@example.test")


def test_didomi_updates_are_partial_and_null_is_no_choice() -> None:
    entity = {"user": {"id": "d"}, "created_at": "2025-02-16T08:00:00Z", "consents": {"purposes": [
        {"id": "a", "enabled": True}, {"id": "b", "enabled": None}]}}  # fmt: skip
    (found,) = read({"type": "event.updated", "regulation": "gdpr", "parameters": {"entity": entity}})
    assert (found.choices, found.complete, found.regulation) == ({"a": G, "b": D}, False, "gdpr")


def test_cookiebot_implied_consent_is_none() -> None:
    text = (
        b"{stamp:'s',necessary:true,preferences:true,statistics:false,marketing:true,"
        b"method:'implied',ver:1,utc:1739692800000}"
    )
    (found,) = read(text)
    assert found.choices == {"necessary": G, "preferences": D, "statistics": D, "marketing": D}
    assert found.unclear == {"preferences", "marketing"}


def test_fides_saved_preferences() -> None:
    body = {"browser_identity": {"fides_user_device_id": "d"}, "preferences": [
        {"privacy_notice_history_id": "p1", "preference": "opt_in"},
        {"privacy_notice_history_id": "p2", "preference": "acknowledge"}]}  # fmt: skip
    (found,) = read(body)
    assert (found.choices, found.unclear, found.device) == ({"p1": G, "p2": D}, frozenset({"p2"}), "d")


def test_rudderstack_denied_wins() -> None:
    body = {"type": "track", "anonymousId": "a", "originalTimestamp": "2025-02-16T08:00:00Z", "context": {
        "consentManagement": {"allowedConsentIds": ["A", "b"], "deniedConsentIds": ["B", "A"]}}}  # fmt: skip
    (found,) = read({"batch": [body, {"type": "track"}]})
    assert (found.choices, found.effective_at, found.source) == ({"A": D, "b": G, "B": D}, AT, "rudderstack")


@pytest.mark.parametrize(("said", "status"), [(True, D), (False, G), (None, D), ("false", D)])
def test_mparticle_opted_out_is_a_refusal(said: Any, status: Status) -> None:
    body = {"user_identities": {"customerid": "u"}, "mp_deviceid": "d", "consent_state": {
        "gdpr": {"analytics": {"consented": True, "timestamp_unixtime_ms": AT, "document": "v1"}},
        "ccpa": {"data_sale_opt_out": {"consented": said, "timestamp_unixtime_ms": AT}}}}  # fmt: skip
    gdpr, ccpa = read(body)
    assert (gdpr.regulation, gdpr.choices, gdpr.notice) == ("gdpr", {"analytics": G}, "v1")
    assert (ccpa.regulation, ccpa.choices) == ("ccpa", {"data_sale_opt_out": status})


@pytest.mark.parametrize(
    ("kind", "basis", "status"),
    [
        ("allow_selected", "consent", G), ("allow_selected", "contract", D), ("deny_all", "consent", D),
        ("withdrawn", "consent", W), ("new", "consent", D),
    ],
)  # fmt: skip
def test_snowplow_event_types(kind: str, basis: str, status: Status) -> None:
    data = {"eventType": kind, "basisForProcessing": basis, "consentScopes": ["a"], "consentVersion": "1.0"}
    inner = {"schema": "iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0", "data": data}
    row = {
        "e": "ue",
        "eid": "e-1",
        "duid": "d",
        "uid": "u",
        "dtm": str(AT),
        "ue_pr": orjson.dumps({"data": inner}).decode(),
    }
    body = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [{"e": "pv"}, row]}
    (found,) = read(body)
    assert (found.choices, found.effective_at, found.person, found.device) == ({"a": status}, AT, "u", "d")


def test_ga4_words() -> None:
    body = {
        "client_id": "1.2",
        "timestamp_micros": AT * 1000,
        "consent": {"ad_user_data": "GRANTED", "ad_personalization": "?"},
    }
    (found,) = read(body)
    assert (found.choices, found.effective_at) == ({"ad_user_data": G, "ad_personalization": D}, AT)


def signals(**changed: Any) -> Statement:
    (found,) = read({"type": "signals", "identity": {"device": "d"}, "effective_at": AT} | changed)
    return found


def test_signals_give_categories() -> None:
    assert signals(usp="1NYN").choices == {"us.sale": D, "us.share": D}
    assert signals(usp="1NNN", gpc="1").choices == dict.fromkeys(("us.sale", "us.share", "us.targeted_advertising"), D)
    assert signals(gpc="0").choices == {}
    assert signals(tcf=TCF).choices["tcf.1"] is G
    assert set(signals(tcf=TCF[:24]).choices.values()) == {D}
    assert set(signals(gpp="DB").choices.values()) == {D}
    assert signals(gcd="11r1t1u1n5").choices == {
        "ad_storage": G, "analytics_storage": D, "ad_user_data": D, "ad_personalization": G
    }  # fmt: skip
    assert signals(gcs="G110").choices == {"analytics_storage": D}
    assert signals(gpp="DBABLA~CUAVAAAAAACA.QA").choices["us.sale"] is D


def test_signals_need_a_time() -> None:
    assert refused({"type": "signals", "identity": {"device": "d"}}) == Invalid("missing_field", "$.effective_at")


def test_a_topic_can_be_fixed_to_each_source() -> None:
    for source in SOURCES:
        found = ConsentReader(source.id).read(b"{}")
        assert isinstance(found, (list, Invalid))
    with pytest.raises(ValueError, match="known: canonical, signals, onetrust"):
        ConsentReader("nobody")


JUNK: list[Any] = [None, 1, "x", [], {}, [1], {"x": 1}, True, 1e300, "2025-13-01", {"data": []}]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_no_source_raises_for_any_object(junk: Any) -> None:
    keys = (
        "payload", "eventType", "requestInformation", "purposes", "controllerId", "consents", "kind", "apiVersion",
        "request", "type", "parameters", "items", "preferences", "browser_identity", "consent_state", "schema", "data",
        "client_id", "consent", "batch", "context", "identity", "effective_at", "profiles", "timestamp",
    )  # fmt: skip
    for source in SOURCES:
        for name in keys:
            for other in keys:
                body = {name: junk, other: {"consentManagement": junk, "entity": junk, "profiles": junk, "gdpr": junk}}
                if source.claims(body):
                    assert isinstance(source.read(body), list)
