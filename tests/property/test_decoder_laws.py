"""Whatever the bytes: never an exception, always a result, and the same one again."""

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Headers
from tamis.envelopes.registry import FIXED

DECODERS = (Decoder(b"k" * 32), *(Decoder(b"k" * 32, vendor=vendor) for vendor in FIXED))
REASONS = {reason.value for reason in InvalidReason}
NOW = 1_795_319_504_084

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "type", "messageId", "event", "name", "anonymousId", "userId", "timestamp", "originalTimestamp", "sentAt",
    "channel", "groupId", "previousId", "properties", "traits", "context", "batch",
)  # fmt: skip
likely = {
    "type": st.sampled_from(("track", "page", "screen", "identify", "group", "alias", "batch")),
    "timestamp": st.sampled_from(("2026-11-22T03:51:44.084Z", "2026-11-22T03:51:44+01:00", "never")),
}
calls: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {}, optional={field: likely.get(field, anything) | anything for field in FIELDS}
)
bodies = calls | st.fixed_dictionaries({"batch": st.lists(calls | anything, max_size=5)}) | anything


# Fields of all vendors, so that bodies of mixed descent arise.
VENDOR_FIELDS = (
    "specversion", "id", "source", "data", "data_base64", "time", "subject", "schema", "e", "eid", "ue_pr",
    "ue_px", "co", "dtm", "stm", "duid", "uid", "client_id", "events", "timestamp_micros", "consent", "params",
    "api_key", "event_type", "device_id", "user_id", "insert_id", "event_properties", "user_properties",
    "environment", "mpid", "user_identities", "consent_state", "requests", "idsite", "rec", "distinct_id", "uuid",
    "batch", "sent_at", "offset", "$set", "$set_once", "$distinct_id", "$group_key", "$group_id", "$token",
    "event", "properties", "name", "timestamp", "$device_id", "$user_id", "$insert_id", "type",
)  # fmt: skip
PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
texts = st.sampled_from(
    (
        "",
        "ue",
        "pv",
        "1.0",
        "GRANTED",
        "session_start",
        PAYLOAD,
        "2025-02-16T08:00:00Z",
        "1739692800000",
        "$identify",
        "{}",
        "e30=",
        "$device:d",
        "null",
        "\U0001f3ac",
    )
)
facts = anything | texts | st.integers(0, 2**70)
flat = st.fixed_dictionaries({}, optional=dict.fromkeys(VENDOR_FIELDS, facts))
nested = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(VENDOR_FIELDS, facts | flat | st.lists(flat | facts, max_size=3))
)
addresses = st.sampled_from(
    (
        "",
        "/g/collect?v=2&tid=G-1&cid=c",
        "/track?data=e30=",
        "/i?e=pv&p=web",
        "/matomo.php?idsite=1&rec=1",
        "/e/?_=5",
        "/api/s/track",
        "https://[::1",
        "/v1/track",
        "?",
    )
)


def headers_of(address: str, more: dict[str, str]) -> Headers:
    return [("endpoint", address.encode("utf-8", "replace"))] + [
        (name, value.encode("utf-8", "replace")) for name, value in more.items()
    ]


def check(value: bytes | None, headers: Headers = ()) -> None:
    for decoder in DECODERS:
        found = decoder.decode(value, headers, NOW)
        assert found == decoder.decode(value, headers, NOW)
        entries = [found] if isinstance(found, Invalid) else found
        assert entries
        for entry in entries:
            if isinstance(entry, Invalid):
                assert entry.reason in REASONS
                assert entry.path.startswith("$")
            else:
                assert_sound(entry)


def assert_sound(event: Event) -> None:
    assert event.event_id
    assert event.name
    assert event.occurred_at is None or event.occurred_at >= 0
    assert event.anonymous_id is None or event.anonymous_id.strip()
    assert event.user_id is None or event.user_id.strip()


@given(st.binary(max_size=400))
def test_any_bytes(value: bytes) -> None:
    check(value)


@given(bodies)
def test_any_json(value: Any) -> None:
    check(json.dumps(value).encode())


@given(bodies, st.integers(min_value=0), st.binary(max_size=6))
def test_any_damaged_json(value: Any, place: int, noise: bytes) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    cut = place % (len(raw) + 1)
    check(raw[:cut] + noise + raw[cut:])
    check(raw[:cut])


@given(st.sampled_from(FIELDS), st.integers(min_value=1, max_value=5_000), st.sampled_from(("[", '{"a":')))
def test_any_depth(field: str, depth: int, opener: str) -> None:
    closer = "]" if opener == "[" else "}"
    nested = opener * depth + "1" + closer * depth
    check(f'{{"type":"track","event":"e","anonymousId":"a","{field}":{nested}}}'.encode())
    check(f'{{"batch":[{{"type":"track","event":"e","anonymousId":"a","{field}":{nested}}}]}}'.encode())


@given(nested | st.lists(nested, max_size=3), addresses)
def test_any_mixture_of_vendors(value: Any, address: str) -> None:
    check(json.dumps(value).encode(), headers_of(address, {}))


@given(
    st.dictionaries(
        st.sampled_from(("data", "e", "idsite", "rec", "v", "tid", "cid", "en", "ep.x", "epn.y", "cdt", "_id")),
        st.text(max_size=20) | texts,
        max_size=6,
    ),
    st.dictionaries(
        st.sampled_from(("ce_id", "ce-specversion", "ce_type", "ce_source", "content-type", "sec-gpc")),
        st.text(max_size=8) | st.sampled_from(("application/cloudevents+json", "1")),
        max_size=4,
    ),
    st.text(max_size=60) | addresses,
)
def test_any_form_headers_and_address(form: dict[str, str], more: dict[str, str], address: str) -> None:
    body = "&".join(f"{name}={value}" for name, value in form.items())
    check(body.encode("utf-8", "replace"), headers_of(address, more))
    check(b"", headers_of(f"{address}?{body}", more))


@given(st.lists(st.text(alphabet='a0{}[]"\t \n:-', max_size=8), min_size=120, max_size=140), st.integers(0, 130))
def test_any_row(cells: list[str], place: int) -> None:
    cells[place % len(cells)] = '{"schema":1}'
    check("\t".join(cells).encode())


@given(st.binary(max_size=200), st.integers(0, 40))
def test_any_gzip(content: bytes, cut: int) -> None:
    check(gzip.compress(content))
    check(gzip.compress(content)[:cut])
