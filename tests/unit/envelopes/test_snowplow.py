"""Snowplow: the tracker protocol in POST and GET, entities, consent, and enriched rows."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tamis.domain.event import Event
from tamis.envelopes.snowplow_enriched import COLUMNS
from tests.support.decoding import NOW, entries, event, why
from tests.support.payloads import SHARED, load, record

PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
PING = {"e": "pv", "eid": "e-1", "p": "web", "tv": "js-4", "duid": "d-1", "url": "https://shop.example.test/?q=1",
        "page": "Home", "dtm": "1739525213589", "stm": "1739525213600"}  # fmt: skip


def post(*items: Any) -> dict[str, Any]:
    return {"schema": PAYLOAD, "data": list(items)}


def described(name: str, content: Any) -> dict[str, Any]:
    return {
        "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": f"iglu:test.example/{name}/jsonschema/1-0-0", "data": content},
    }


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_get_has_everything_in_its_query() -> None:
    found = event("", "https://collector.example.test/i?" + urlencode(PING))
    assert found == event(post(PING))
    assert (found.vendor, found.kind, found.name, found.event_id) == ("snowplow", "page", "page_view", "e-1")
    assert found.context["page"] == {"url": PING["url"], "title": "Home"}


def test_a_get_with_a_self_describing_event_in_base64() -> None:
    query = PING | {"e": "ue", "ue_px": packed(described("quote_started", {"total": 9_007_199_254_740_993}))}
    found = event("", "/i?" + urlencode(query))
    assert (found.name, found.properties) == ("quote_started", {"total": 9_007_199_254_740_993})
    assert found.context["schema"] == "iglu:test.example/quote_started/jsonschema/1-0-0"


def test_true_time_wins_over_device_time() -> None:
    assert event(post(PING)).occurred_at == 1_739_525_213_589
    assert event(post(PING | {"ttm": "1739525200000"})).occurred_at == 1_739_525_200_000


def test_a_client_that_is_ahead_is_set_back_and_true_time_is_not() -> None:
    ahead = {"dtm": str(NOW + 4_000), "stm": str(NOW + 5_000)}
    assert event(post(PING | ahead)).occurred_at == NOW - 1_000
    assert event(post(PING | ahead | {"ttm": str(NOW + 4_000)})).occurred_at == NOW + 4_000
    assert event(post(PING | ahead), as_sent=True).occurred_at == NOW + 4_000


def test_a_client_that_is_behind_is_not_moved() -> None:
    behind = {"dtm": str(NOW - 9_000), "stm": str(NOW - 8_000)}
    assert event(post(PING | behind)).occurred_at == NOW - 9_000


@pytest.mark.parametrize(
    ("changes", "kind", "name", "properties"),
    [
        ({"e": "pp", "pp_mix": "0", "pp_may": "12"}, "auto", "page_ping", {"pp_mix": "0", "pp_may": "12"}),
        (
            {"e": "se", "se_ca": "cart", "se_ac": "add", "se_va": "1.5"},
            "track",
            "add",
            {"se_ca": "cart", "se_va": "1.5"},
        ),
        ({"e": "tr", "tr_id": "o-1", "tr_tt": "19.99"}, "track", "transaction", {"tr_id": "o-1", "tr_tt": "19.99"}),
        ({"e": "ti", "ti_sk": "A-1"}, "track", "transaction_item", {"ti_sk": "A-1"}),
    ],
)
def test_standard_events(changes: dict[str, str], kind: str, name: str, properties: dict[str, str]) -> None:
    found = event(post(PING | changes))
    assert (found.kind, found.name) == (kind, name)
    assert properties.items() <= found.properties.items()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("screen_view", "page"), ("group", "group"), ("alias", "alias"), ("consent_withdrawn", "consent"), ("x", "track")],
)
def test_the_schema_tells_the_kind(name: str, kind: str) -> None:
    assert event(post(PING | {"e": "ue", "ue_pr": json.dumps(described(name, {}))})).kind == kind


def test_entities_stand_in_the_context_by_schema() -> None:
    wrapped = {"schema": "iglu:x/contexts/jsonschema/1-0-0", "data": [
        {"schema": "iglu:com.acme/product/jsonschema/1-0-0", "data": {"sku": "a"}},
        {"schema": "iglu:com.acme/product/jsonschema/1-0-0", "data": {"sku": "b"}},
        {"schema": "no schema", "data": {}}, 5,
    ]}  # fmt: skip
    found = event(post(PING | {"co": json.dumps(wrapped)}))
    assert found.context["contexts"] == {"product": [{"sku": "a"}, {"sku": "b"}]}
    assert found == event(post(PING | {"cx": packed(wrapped)}))


@pytest.mark.parametrize(
    ("state", "granted"),
    [("allow_all", True), ("allow_selected", True), ("deny_all", False), ("withdrawn", False), ("pending", False),
     ("implicit_consent", False), ("expired", False)],
)  # fmt: skip
def test_only_an_allowing_state_grants_scopes(state: str, granted: bool) -> None:
    content = {"eventType": state, "consentScopes": ["ads"], "gdprApplies": True}
    found = event(post(PING | {"e": "ue", "ue_pr": json.dumps(described("consent_preferences", content))}))
    assert found.consent is not None
    assert found.consent.choices == {"ads": granted}
    assert dict(found.consent.signals) == {"gdpr": "1", "state": state}


@pytest.mark.parametrize("content", [{"eventType": 5}, {"eventType": "allow_all", "consentScopes": "ads"}, {}])
def test_an_unclear_consent_event_is_malformed(content: dict[str, Any]) -> None:
    found = event(post(PING | {"e": "ue", "ue_pr": json.dumps(described("consent_preferences", content))}))
    assert found.consent is not None
    assert found.consent.malformed


@pytest.mark.parametrize(
    ("item", "refusal"),
    [
        (PING | {"e": ...}, ("missing_field", "$.data[0].e")),
        (PING | {"e": "zz"}, ("unknown_envelope", "$.data[0].e")),
        (PING | {"dtm": "soon"}, ("bad_time", "$.data[0].dtm")),
        (PING | {"duid": ...}, ("missing_field", "$.data[0].duid")),
        (PING | {"duid": {"a": 1}}, ("wrong_type", "$.data[0].duid")),
        (PING | {"e": "ue", "ue_pr": "{"}, ("not_json", "$.data[0].ue_pr")),
        (PING | {"e": "ue", "ue_px": "%%%"}, ("not_json", "$.data[0].ue_pr")),
        (PING | {"e": "ue"}, ("missing_field", "$.data[0].ue_pr")),
        (PING | {"e": "se"}, ("missing_field", "$.data[0].se_ac")),
        (PING | {"co": "[" * 3000}, ("too_deep", "$.data[0].co")),
        ("x", ("wrong_type", "$.data[0]")),
    ],
)
def test_refusals(item: Any, refusal: tuple[str, str]) -> None:
    body = {key: value for key, value in item.items() if value is not ...} if isinstance(item, dict) else item
    assert why(post(body)) == refusal


def test_a_bad_item_spoils_no_other() -> None:
    found = entries(post(PING, 5, PING | {"eid": "e-2"}))
    assert [entry.event_id if isinstance(entry, Event) else entry.path for entry in found] == [
        "e-1",
        "$.data[1]",
        "e-2",
    ]


@pytest.mark.parametrize(("data", "reason"), [([], "empty"), ("x", "wrong_type"), ([PING] * 501, "too_many_events")])
def test_bodies_without_a_usable_list(data: Any, reason: str) -> None:
    assert why({"schema": PAYLOAD, "data": data}) == (reason, "$.data")


def row(**cells: str) -> str:
    places = {"app_id": 0, "platform": 1, "collector_tstamp": 3, "event": 5, "event_id": 6, "user_id": 12,
              "domain_userid": 15, "page_url": 29, "page_title": 30, "contexts": 52, "se_category": 53, "se_action": 54,
              "unstruct_event": 58, "derived_tstamp": 124, "event_name": 126}  # fmt: skip
    columns = [""] * COLUMNS
    for name, value in cells.items():
        columns[places[name]] = value
    return "\t".join(columns)


FULL = {"app_id": "shop", "event": "page_view", "event_id": "e-1", "domain_userid": "d-1", "user_id": "",
        "derived_tstamp": "2025-02-14 09:26:53.589", "event_name": "page_view", "page_title": "Home"}  # fmt: skip


def test_an_enriched_row() -> None:
    found = event(row(**FULL, page_url="https://shop.example.test/"))
    assert (found.vendor, found.kind, found.name, found.event_id) == ("snowplow", "page", "page_view", "e-1")
    assert (found.anonymous_id, found.user_id, found.occurred_at) == ("d-1", None, 1_739_525_213_589)
    assert found.properties == {"page_title": "Home", "page_url": "https://shop.example.test/"}
    assert event(row(**FULL) + "\r\n").event_id == "e-1"


def test_an_enriched_structured_event_is_named_by_its_action() -> None:
    found = event(row(**FULL | {"event": "struct", "event_name": "event", "se_category": "cart", "se_action": "add"}))
    assert (found.kind, found.name) == ("track", "add")
    assert found.properties == {"se_category": "cart", "se_action": "add"}


def test_enriched_refusals() -> None:
    assert why(row(**FULL, contexts="{")) == ("not_json", "$.contexts")
    assert why(row(**FULL | {"derived_tstamp": "yesterday"})) == ("bad_time", "$.derived_tstamp")
    assert why(row(**FULL | {"domain_userid": ""})) == ("missing_field", "$.domain_userid")
    assert why(row(**FULL)[:-3], vendor="snowplow") == ("wrong_type", "$")


@pytest.mark.skipif(not (SHARED / "snowplow").is_dir(), reason="the shared payloads are not there")
def test_the_row_of_the_vendors_own_tests() -> None:
    payload = load(SHARED / "snowplow" / "enriched-tsv.json")
    value, headers = record(payload)
    (expect,) = payload["expect"]
    found = event(value, headers={name: raw.decode() for name, raw in headers})
    assert (found.kind, found.name, found.event_id) == (expect["kind"], expect["name"], expect["event_id"])
    assert (found.anonymous_id, found.user_id) == (expect["anonymous_id"], expect["user_id"])
    assert found.occurred_at == 1_385_424_237_886
    assert found.context["page"]["url"] == expect["page_url"]
    assert "203.0.113.7" not in repr(found)
