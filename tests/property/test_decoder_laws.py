"""Whatever the bytes: never an exception, always a result, and the same one again."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.event import Event, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.decoder import Decoder

DECODERS = (Decoder(b"k" * 32), Decoder(b"k" * 32, vendor="segment"), Decoder(b"k" * 32, vendor="rudderstack"))
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


def check(value: bytes | None) -> None:
    for decoder in DECODERS:
        found = decoder.decode(value, (), NOW)
        assert found == decoder.decode(value, (), NOW)
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
