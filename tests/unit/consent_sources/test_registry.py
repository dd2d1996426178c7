"""Any bytes: bounded, detected, never an exception."""

from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.registry import MAX_BYTES, ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.bundle import Policy
from tamis.domain.event import Invalid
from tamis.domain.identity import SubjectKeys

KEYING = Keying(Policy(purposes=("analytics",), aliases={"analytics": "analytics"}), SubjectKeys(b"k" * 32))
SEED = orjson.dumps(
    {
        "batch": [
            {
                "type": "track",
                "event": "Segment Consent Preference Updated",
                "userId": "u",
                "timestamp": "2026-11-22T03:51:46.897Z",
                "context": {"consent": {"categoryPreferences": {"analytics": True}}},
            }
        ],
        "type": "consent",
        "identity": {"person": "u"},
        "choices": {"analytics": "granted"},
        "effective_at": 1_795_319_506_897,
    }
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "not_json"),
        (b"\xff{}", "not_utf8"),
        (b"[]", "wrong_type"),
        (b"3", "wrong_type"),
        (b"{}", "unknown_envelope"),
        (b'{"type":["consent"]}', "unknown_envelope"),
        (b'{"type":"consent","a":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "too_deep"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_cannot_be_read_has_a_reason(value: bytes | None, reason: str) -> None:
    found = ConsentReader().read(value)
    assert isinstance(found, Invalid)
    assert found.reason == reason


def test_a_fixed_source_reads_only_its_own_form() -> None:
    found = ConsentReader("canonical").read(orjson.dumps({"type": "track", "event": "x"}))
    assert found == Invalid("unknown_envelope", "$")


def test_an_unknown_source_is_a_wrong_configuration() -> None:
    with pytest.raises(ValueError, match="known: canonical, signals"):
        ConsentReader("onetrust-ish")


def consume(value: bytes, fixed: str | None) -> int:
    found = ConsentReader(fixed).read(value)
    entries = [found] if isinstance(found, Invalid) else found
    said = [entry for entry in entries if isinstance(entry, Statement)]
    return sum(len(list(KEYING.changes(entry, 1_800_000_000_000, Counter()))) for entry in said)


@given(st.binary(max_size=300), st.sampled_from([None, "canonical", "segment"]))
def test_random_bytes_never_raise(value: bytes, fixed: str | None) -> None:
    assert consume(value, fixed) == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "type",
        "event",
        "batch",
        "userId",
        "anonymousId",
        "timestamp",
        "context",
        "identity",
        "choices",
        "effective_at",
        "seq",
    ]
)


@given(st.dictionaries(names, json_values, max_size=8), st.sampled_from([None, "canonical", "segment"]))
def test_bodies_of_the_right_shape_never_raise(changed: dict[str, object], fixed: str | None) -> None:
    assert consume(orjson.dumps(orjson.loads(SEED) | changed), fixed) >= 0


@given(st.integers(0, len(SEED) - 1), st.integers(0, 255))
def test_one_changed_byte_never_raises(place: int, byte: int) -> None:
    assert consume(SEED[:place] + bytes([byte]) + SEED[place + 1 :], None) in (0, 1)


def test_the_seed_itself_is_a_grant() -> None:
    assert consume(SEED, None) == 1
