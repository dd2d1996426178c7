"""The decoder's decisions: what is refused, with which reason and path, and what is understood."""

import gzip
import json
import sys
from typing import Any

import pytest

from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Limits

KEY = b"k" * 32
NOW = 1_795_319_504_084
TRACK = {
    "type": "track",
    "event": "Signed Up",
    "messageId": "m-1",
    "anonymousId": "d-1",
    "timestamp": "2026-11-22T03:51:44.084Z",
}
DEEP = b'{"a":' * 70 + b"1" + b"}" * 70


def body(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in (TRACK | changes).items() if value is not ...}).encode()


def one(value: bytes, **options: Any) -> Event:
    entries = Decoder(KEY, **options).decode(value, (), NOW)
    assert isinstance(entries, list)
    (event,) = entries
    assert isinstance(event, Event)
    return event


def refusal(value: bytes | None, vendor: str | None = None) -> tuple[str, str]:
    entries = Decoder(KEY, vendor=vendor).decode(value, (), NOW)
    (found,) = entries if isinstance(entries, list) else (entries,)
    assert isinstance(found, Invalid)
    return found.reason, found.path


def batch(*items: Any, **outer: Any) -> list[Event | Invalid]:
    entries = Decoder(KEY).decode(json.dumps({"batch": items, **outer}).encode(), (), NOW)
    assert isinstance(entries, list)
    return entries


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, InvalidReason.EMPTY),
        (b"", InvalidReason.EMPTY),
        (b" ", InvalidReason.NOT_JSON),
        (b"hello", InvalidReason.NOT_JSON),
        (body()[:-1], InvalidReason.NOT_JSON),
        (body() + b"x", InvalidReason.NOT_JSON),
        (b"\xef\xbb\xbf" + body(), InvalidReason.NOT_JSON),
        (body().decode().encode("utf-16"), InvalidReason.NOT_UTF8),
        (gzip.compress(body())[:-9], InvalidReason.NOT_UTF8),
        (gzip.compress(body()) + b"x", InvalidReason.NOT_UTF8),
        (gzip.compress(gzip.compress(body())), InvalidReason.NOT_UTF8),
        (b"\x1f\x8b" + bytes(20), InvalidReason.NOT_UTF8),
        (gzip.compress(b" " * 300_000), InvalidReason.TOO_LARGE),
        (body().replace(b"Signed", b"Sign\xff"), InvalidReason.NOT_UTF8),
        (body(ignored="x").replace(b'"x"', b'"\xff"'), InvalidReason.NOT_UTF8),
        (body(properties={"a": "@"}).replace(b"@", b"\\ud800"), InvalidReason.NOT_JSON),
        (body(properties={"a": "@"}).replace(b'"@"', b"NaN"), InvalidReason.NOT_JSON),
        (body(properties={"a": "@"}).replace(b'"@"', b"Infinity"), InvalidReason.NOT_JSON),
        (b"[" * 100_000 + b"]" * 100_000, InvalidReason.TOO_DEEP),
        (body(properties="@").replace(b'"@"', b'{"a":' * 20_000 + b"1" + b"}" * 20_000), InvalidReason.TOO_DEEP),
        (body(properties={"a": "x" * 262_144}), InvalidReason.TOO_LARGE),
        (b"{}", InvalidReason.UNKNOWN_ENVELOPE),
        (b"[]", InvalidReason.UNKNOWN_ENVELOPE),
        (b"5", InvalidReason.UNKNOWN_ENVELOPE),
        (b"null", InvalidReason.UNKNOWN_ENVELOPE),
        (body(type="purchase"), InvalidReason.UNKNOWN_ENVELOPE),
        (body(type=7), InvalidReason.UNKNOWN_ENVELOPE),
        (b'{"batch":[{"distinct_id":"a","action":"b"}]}', InvalidReason.UNKNOWN_ENVELOPE),
    ],
)
def test_records_that_cannot_be_opened(value: bytes | None, reason: InvalidReason) -> None:
    assert refusal(value) == (reason, "$")


@pytest.mark.parametrize(
    ("changes", "reason", "path"),
    [
        ({"event": ...}, InvalidReason.MISSING_FIELD, "$.event"),
        ({"event": None}, InvalidReason.MISSING_FIELD, "$.event"),
        ({"event": ""}, InvalidReason.MISSING_FIELD, "$.event"),
        ({"event": 7}, InvalidReason.WRONG_TYPE, "$.event"),
        ({"anonymousId": ...}, InvalidReason.MISSING_FIELD, "$.anonymousId"),
        ({"anonymousId": None, "userId": ""}, InvalidReason.MISSING_FIELD, "$.anonymousId"),
        ({"userId": {"id": "u-1"}}, InvalidReason.WRONG_TYPE, "$.userId"),
        ({"userId": 1.5}, InvalidReason.WRONG_TYPE, "$.userId"),
        ({"userId": True}, InvalidReason.WRONG_TYPE, "$.userId"),
        ({"messageId": []}, InvalidReason.WRONG_TYPE, "$.messageId"),
        ({"timestamp": "yesterday"}, InvalidReason.BAD_TIME, "$.timestamp"),
        ({"timestamp": ""}, InvalidReason.BAD_TIME, "$.timestamp"),
        ({"timestamp": 1_795_319_504}, InvalidReason.WRONG_TYPE, "$.timestamp"),
        ({"timestamp": None, "originalTimestamp": "?"}, InvalidReason.BAD_TIME, "$.originalTimestamp"),
        ({"properties": []}, InvalidReason.WRONG_TYPE, "$.properties"),
        ({"context": "web"}, InvalidReason.WRONG_TYPE, "$.context"),
        ({"batch": {}}, InvalidReason.WRONG_TYPE, "$.batch"),
    ],
)
def test_calls_with_a_fault(changes: dict[str, Any], reason: InvalidReason, path: str) -> None:
    assert refusal(body(**changes)) == (reason, path)
    assert refusal(body(**changes), vendor="segment") == (reason, path)


def test_paths_hold_no_key_a_sender_chose() -> None:
    value = body(properties={"secret@example.test": {"x": "@"}}).replace(b'"@"', b"1e999")
    assert refusal(value) == (InvalidReason.WRONG_TYPE, "$.properties[...][...]")


@pytest.mark.parametrize("field", ["properties", "context"])
def test_depth_within_an_event(field: str) -> None:
    marked = body(**{field: "@"})
    assert refusal(marked.replace(b'"@"', DEEP)) == (InvalidReason.TOO_DEEP, f"$.{field}")
    allowed = b'{"a":' * 63 + b"1" + b"}" * 63
    assert one(marked.replace(b'"@"', allowed)).name == "Signed Up"


def test_a_low_depth_limit_is_kept() -> None:
    limits = Limits(max_depth=3)
    assert one(body(properties={"a": {"b": 1}}), limits=limits).properties == {"a": {"b": 1}}
    entries = Decoder(KEY, limits).decode(body(properties={"a": {"b": [1]}}), (), NOW)
    assert entries == [Invalid(InvalidReason.TOO_DEEP, "$.properties")]


def test_numbers_stay_exact() -> None:
    numbers = {"a": 2**53 + 1, "b": 2**64 + 1, "c": -(2**70), "d": int("9" * 4000), "e": 0.1, "f": 1e308}
    assert one(body(properties=numbers)).properties == numbers
    huge = body(userId="@").replace(b'"@"', b"9" * 5000)
    assert refusal(huge) == (InvalidReason.WRONG_TYPE, "$.userId")


def test_ids_that_are_numbers_are_their_decimal_text() -> None:
    event = one(body(userId=9_007_199_254_740_993, anonymousId=12, messageId=5))
    assert (event.user_id, event.anonymous_id, event.event_id) == ("9007199254740993", "12", "5")
    nobody = one(body(userId=0, anonymousId=-1))
    assert (nobody.user_id, nobody.anonymous_id) == (None, None)


def test_placeholders_are_nobody_but_the_event_stands() -> None:
    event = one(body(userId="undefined", anonymousId="00000000-0000-0000-0000-000000000000"))
    assert (event.user_id, event.anonymous_id) == (None, None)


def test_of_a_repeated_key_the_last_value_counts() -> None:
    assert one(body().replace(b'"event": "Signed Up"', b'"event": "A", "event": "B"')).name == "B"


def test_a_time_that_was_not_sent_is_none_and_a_bad_sent_at_is_ignored() -> None:
    event = one(body(timestamp=..., sentAt=5))
    assert (event.occurred_at, event.sent_at) == (None, None)
    assert one(body(sentAt="2026-11-22T03:51:45Z")).sent_at == NOW + 916


def test_a_client_that_is_ahead_is_set_back() -> None:
    ahead = {"timestamp": "2026-11-22T04:51:40.084Z", "sentAt": "2026-11-22T04:51:44.084Z"}
    assert one(body(**ahead)).occurred_at == NOW - 4_000
    web = {"channel": "web", "timestamp": ..., "originalTimestamp": ahead["timestamp"]}
    assert one(body(**(ahead | web))).occurred_at == NOW - 4_000
    batch = json.dumps({"sentAt": ahead["sentAt"], "batch": [TRACK | {"timestamp": ahead["timestamp"]}]}).encode()
    assert one(batch).occurred_at == NOW - 4_000
    assert one(body(**(ahead | {"sentAt": "9999-01-01T00:00:00Z"}))).occurred_at == 0


def test_a_client_that_is_behind_a_server_that_corrected_and_jitsu_are_left_alone() -> None:
    late = {"timestamp": "2026-11-22T02:51:44.084Z", "sentAt": "2026-11-22T02:51:45Z"}
    assert one(body(**late)).occurred_at == NOW - 3_600_000
    passed = {"timestamp": "2026-11-22T03:51:44.084Z", "originalTimestamp": "2026-11-22T04:51:44.084Z",
              "sentAt": "2026-11-22T04:51:44.084Z", "receivedAt": "2026-11-22T03:51:44.100Z"}  # fmt: skip
    assert one(body(**passed)).occurred_at == NOW
    assert one(body(**passed, channel="web")).occurred_at == NOW
    jitsu = {"context": {"library": {"name": "@jitsu/js"}}, "sentAt": "2026-11-22T04:51:44.084Z"}
    assert one(body(**jitsu)).occurred_at == NOW


def test_jitsu_is_told_by_its_client() -> None:
    for name in ("@jitsu/js", "jitsu-js", "@jitsu/node"):
        assert one(body(context={"library": {"name": name}})).vendor == "jitsu"
    for context in ({"library": {"name": "analytics.js"}}, {"library": "jitsu"}, {"page": {"title": "jitsu"}}, {}):
        assert one(body(context=context)).vendor == "segment"
    page = one(body(type="page", event=..., name="Home", context={"library": {"name": "@jitsu/js"}}))
    assert (page.vendor, page.name) == ("jitsu", "page")


def test_which_time_counts() -> None:
    both = {"timestamp": "2026-11-22T03:51:44.084Z", "originalTimestamp": "2026-11-22T03:00:00.000Z"}
    assert one(body(**both)).occurred_at == NOW
    assert one(body(**both, channel="web")).occurred_at == NOW - 3_104_084
    assert one(body(timestamp=..., originalTimestamp=both["timestamp"])).occurred_at == NOW


def test_vendors_are_told_apart_by_shape() -> None:
    assert one(body()).vendor == "segment"
    assert one(body(channel="server")).vendor == "rudderstack"
    assert one(body(channel="server"), vendor="segment").vendor == "segment"
    assert one(body(), vendor="rudderstack").vendor == "rudderstack"


def test_an_unknown_vendor_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ValueError, match="rudderstack, segment"):
        Decoder(KEY, vendor="acme")


@pytest.mark.parametrize(
    ("vendor", "changes", "path"), [("segment", {"type": ...}, "$.type"), ("rudderstack", {"type": "x"}, "$.type")]
)
def test_a_fixed_topic_names_the_missing_type(vendor: str, changes: dict[str, Any], path: str) -> None:
    assert refusal(body(**changes), vendor)[1] == path


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        (b"https://api.segment.io/v1/track", "track"),
        (b"https://api.segment.io/v1/p", "page"),
        (b"https://acme.dataplane.rudderstack.com/v1/screen?x=1", "page"),
        (b"/v1/identify/", "identify"),
    ],
)
def test_without_a_type_the_address_says_it(endpoint: bytes, kind: str) -> None:
    entries = Decoder(KEY).decode(body(type=...), [("trace", b"\xff"), ("endpoint", endpoint)], NOW)
    assert isinstance(entries, list)
    assert isinstance(entries[0], Event)
    assert entries[0].kind == kind


@pytest.mark.parametrize("endpoint", [None, b"", b"/", b"\xff"])
def test_an_address_that_says_nothing_is_no_fault(endpoint: bytes | None) -> None:
    assert isinstance(Decoder(KEY).decode(body(type=...), [("endpoint", endpoint)], NOW), Invalid)


def test_names_and_properties_by_kind() -> None:
    page = one(body(type="page", event=..., name="Pricing", properties={"path": "/pricing"}))
    assert (page.kind, page.name, page.properties) == ("page", "Pricing", {"path": "/pricing"})
    assert one(body(type="page", event=..., properties={"name": "Home"})).name == "Home"
    assert one(body(type="page", event=..., properties={"name": 5})).name == "page"
    screen = one(body(type="screen", event=..., name="Cart"))
    assert (screen.kind, screen.name) == ("page", "Cart")
    identify = one(body(type="identify", event=..., traits={"plan": "pro"}))
    assert (identify.name, identify.properties) == ("identify", {"plan": "pro"})
    nested = one(body(type="identify", event=..., context={"traits": {"plan": "free"}}))
    assert nested.properties == {"plan": "free"}
    group = one(body(type="group", event=..., groupId="g-1", traits={"size": 3}))
    assert (group.name, group.properties) == ("group", {"groupId": "g-1", "size": 3})
    alias = one(body(type="alias", event=..., previousId=7))
    assert (alias.name, alias.properties) == ("alias", {"previousId": 7})


def test_inline_consent_is_read_in_either_form_whoever_sent_it() -> None:
    preferences = {"consent": {"categoryPreferences": {"A": True, "B": True}}}
    lists = {"consentManagement": {"allowedConsentIds": ["C"], "deniedConsentIds": ["B"]}}
    assert one(body()).consent is None
    assert one(body(context={"consent": None})).consent is None
    both = one(body(context=preferences | lists)).consent
    assert both is not None
    assert both.choices == {"A": True, "B": False, "C": True}
    broken = one(body(context=preferences | {"consentManagement": []})).consent
    assert broken is not None
    assert broken.malformed


def test_a_bad_item_does_not_spoil_the_others() -> None:
    items = [TRACK, {"type": "track"}, 5, TRACK | {"userId": []}, TRACK | {"type": "x"}, TRACK | {"messageId": "m-2"}]
    found = batch(*items)
    assert [entry.event_id if isinstance(entry, Event) else (entry.reason, entry.path) for entry in found] == [
        "m-1",
        (InvalidReason.MISSING_FIELD, "$.batch[1].anonymousId"),
        (InvalidReason.WRONG_TYPE, "$.batch[2]"),
        (InvalidReason.WRONG_TYPE, "$.batch[3].userId"),
        (InvalidReason.UNKNOWN_ENVELOPE, "$.batch[4].type"),
        "m-2",
    ]


def test_depth_counts_per_item() -> None:
    value = json.dumps({"batch": [TRACK, TRACK | {"properties": "@"}]}).encode().replace(b'"@"', DEEP)
    entries = Decoder(KEY).decode(value, (), NOW)
    assert isinstance(entries, list)
    assert isinstance(entries[0], Event)
    assert entries[1] == Invalid(InvalidReason.TOO_DEEP, "$.batch[1].properties")


def test_items_inherit_context_and_sent_at() -> None:
    outer = {"context": {"ip": "203.0.113.7", "locale": "fr"}, "sentAt": "2026-11-22T03:51:45.084Z"}
    item = TRACK | {"context": {"locale": "de"}}
    (event,) = batch(item, **outer)
    assert isinstance(event, Event)
    assert event.context == {"ip": "203.0.113.7", "locale": "de"}
    assert event.sent_at == NOW + 1000


def test_batches_that_are_refused_whole() -> None:
    assert refusal(b'{"batch":[]}') == (InvalidReason.EMPTY, "$.batch")
    assert len(batch(*[TRACK] * 500)) == 500
    assert refusal(json.dumps({"batch": [TRACK] * 501}).encode()) == (InvalidReason.TOO_MANY_EVENTS, "$.batch")


def derived(value: bytes, now: int = NOW) -> str:
    entries = Decoder(KEY).decode(value, (), now)
    assert isinstance(entries, list)
    assert isinstance(entries[0], Event)
    assert entries[0].event_id_derived
    return entries[0].event_id


def test_missing_ids_are_derived() -> None:
    first = derived(body(messageId=...))
    assert len(first) == 22
    assert first == derived(body(messageId=""), NOW + 5_000)
    assert first == derived(body(messageId=None, sentAt="2026-11-22T04:00:00Z"))
    others: list[dict[str, Any]] = [
        {"event": "B"},
        {"anonymousId": "d-2"},
        {"userId": "u"},
        {"timestamp": "2026-11-22T03:51:44.085Z"},
        {"properties": {"a": 1}},
        {"channel": "web"},
    ]
    assert len({first, *(derived(body(messageId=..., **change)) for change in others)}) == 7
    assert Decoder(b"j" * 32).decode(body(messageId=...), (), NOW) != Decoder(KEY).decode(body(messageId=...), (), NOW)


def test_without_id_and_time_the_receipt_tells_events_apart() -> None:
    value = body(messageId=..., timestamp=...)
    assert derived(value) == derived(value)
    assert derived(value) != derived(value, NOW + 1)


def test_equal_items_of_one_body_get_different_ids() -> None:
    bare = {key: value for key, value in TRACK.items() if key != "messageId"}
    found = batch(bare, bare)
    assert len({entry.event_id for entry in found if isinstance(entry, Event)}) == 2


@pytest.mark.parametrize("field", ["properties", "context", "traits"])
@pytest.mark.parametrize("kind", ["track", "identify", "alias"])
def test_depths_that_can_just_be_read_but_not_written_are_too_deep(field: str, kind: str) -> None:
    decode = Decoder(b"k" * 32).decode
    for depth in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit() + 5):
        call = b'{"type":"%b","event":"e","anonymousId":"a","%b":%b1%b}' % (
            kind.encode(), field.encode(), b'{"a":' * depth, b"}" * depth,
        )  # fmt: skip
        found = decode(call, (), NOW)
        entry = found if isinstance(found, Invalid) else found[0]
        assert isinstance(entry, Invalid)
        assert entry.reason == InvalidReason.TOO_DEEP
