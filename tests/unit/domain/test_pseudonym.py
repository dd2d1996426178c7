"""Keyed ids: unlinkable between destinations, reversible for the key holder, equal however many are made at once."""

import base64
import hmac as standard
from hashlib import sha256

import pytest

from tamis.domain import keyed
from tamis.domain.pseudonym import EventIds, ProofIds, commitment, commitment_key, position_block, tokens_of

KEYS = [sha256(name.encode()).digest() for name in ("clean", "hubspot")]
TAGS = [sha256(b"%d" % number).digest()[:16] for number in range(100)]


def test_event_ids_differ_between_destinations_and_are_equal_for_equal_events() -> None:
    clean, hubspot = (tokens_of(EventIds(key).encipher([*TAGS, TAGS[0]])) for key in KEYS)
    assert len(set(clean) | set(hubspot)) == 200
    assert (clean[0], hubspot[0]) == (clean[-1], hubspot[-1])


def test_the_key_holder_finds_the_tag_and_the_position_again() -> None:
    event_ids, proofs = EventIds(KEYS[0]), ProofIds(KEYS[0])
    assert [event_ids.tag(text.decode()) for text in tokens_of(event_ids.encipher(TAGS))] == TAGS
    places = [(3, 10**12, 0), (0, 0, 499)]
    texts = tokens_of(proofs.encipher([position_block(*place) for place in places]))
    assert [proofs.position(text.decode()) for text in texts] == places


def test_tokens_of_many_blocks_equal_those_of_each_block_alone() -> None:
    assert tokens_of(b"") == []
    assert tokens_of(b"".join(TAGS)) == [base64.urlsafe_b64encode(tag).rstrip(b"=") for tag in TAGS]


@pytest.mark.parametrize("key", [b"k", b"k" * 32, b"\xff" * 64])
@pytest.mark.parametrize("message", [b"", b"m", b"m" * 1000])
def test_all_forms_are_hmac_sha256(key: bytes, message: bytes) -> None:
    expected = standard.digest(key, message, "sha256")
    assert keyed.hmac(key, message) == keyed.mac(key)(message) == expected
    assert keyed.hex_token(key)(message) == expected.hex()[:32]
    assert commitment(key, message) == expected.hex()[:32]


@pytest.mark.parametrize("key", [b"", b"k" * 65])
def test_keys_outside_a_block_are_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="key must have"):
        keyed.hmac(key, b"m")
    with pytest.raises(ValueError, match="key must have"):
        keyed.mac(key)
    with pytest.raises(ValueError, match="key must have"):
        commitment_key(key)
