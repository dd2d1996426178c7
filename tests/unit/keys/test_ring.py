"""Deriving keys, and what is not a key."""

from __future__ import annotations

import base64
import json
import pickle
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.keys.ring import FORMAT, KeyRing, RootKey, parse_keys, placeholder_reason
from tamis.ports import KeyProvider
from tamis.settings import SetupError

GOOD = bytes((n * 37 + n * n * 11) % 256 for n in range(32))
OTHER = bytes((n * 91 + n * n * 29 + 5) % 256 for n in range(32))


def _document(*roots: tuple[str, bytes]) -> bytes:
    entries = [
        {"epoch": epoch, "created_at": 1_700_000_000_000, "root": base64.b64encode(root).decode()}
        for epoch, root in roots
    ]
    return json.dumps({"format": FORMAT, "roots": entries}).encode()


def test_derivation_is_hkdf_and_stays_the_same() -> None:
    ring: KeyProvider = parse_keys(_document(("1", GOOD)), "here")
    assert ring.derive("subject").hex() == "69796304426499b578d89bebba5943f03e2262153b5ef00f9ecbf4d1951021b9"
    assert ring.derive("subject") == KeyRing([RootKey(GOOD, epoch="1", created_at=0)]).derive("subject")


@given(st.text(max_size=40), st.text(max_size=40))
def test_labels_do_not_share_keys(one: str, other: str) -> None:
    root = RootKey(GOOD, epoch="1", created_at=0)
    assert len(root.derive(one)) == 32
    assert (root.derive(one) == root.derive(other)) == (one == other)


def test_a_new_epoch_changes_its_pseudonyms_and_nothing_else() -> None:
    before = parse_keys(_document(("1", GOOD)), "here")
    after = parse_keys(_document(("1", GOOD), ("2", OTHER)), "here")
    assert (before.epochs().current, after.epochs().current) == ("1", "2")
    assert after.derive("subject") == before.derive("subject")
    assert after.derive("pseudonym/clean/1") == before.derive("pseudonym/clean/1")
    assert after.derive("pseudonym/clean/2") == RootKey(OTHER, epoch="2", created_at=0).derive("pseudonym/clean/2")


def test_an_epoch_without_a_key_is_refused() -> None:
    with pytest.raises(SetupError, match="no key for epoch 3"):
        parse_keys(_document(("1", GOOD)), "here").derive("pseudonym/clean/3")


@pytest.mark.parametrize(
    "material",
    [
        bytes(32),
        b"\xff" * 32,
        b"changeme" * 4,
        b"abcdefgh" * 4,
        bytes(range(32)),
        GOOD[:16] * 2,
        b"my very secret key of 32 letters",
    ],
)
def test_placeholders_are_refused_unless_development_is_asked_for(material: bytes) -> None:
    with pytest.raises(SetupError, match="placeholder"):
        parse_keys(_document(("1", material)), "here")
    assert parse_keys(_document(("1", material)), "here", insecure_dev=True).epochs().current == "1"


@given(st.integers(0, 2**64))
def test_random_keys_are_no_placeholders(seed: int) -> None:
    assert placeholder_reason(Random(seed).randbytes(32)) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        json.dumps({"format": "other", "roots": []}).encode(),
        json.dumps({"format": FORMAT, "roots": []}).encode(),
        _document(("1", GOOD), ("1", OTHER)),
        _document(("1", GOOD[:31])),
        _document(("a/b", GOOD)),
        _document(("1", GOOD)).replace(b'"root": "', b'"root": "!'),
        _document(("1", GOOD)).replace(b'"epoch"', b'"surplus": 1, "epoch"'),
    ],
)
def test_unusable_documents_are_refused_without_showing_them(text: bytes) -> None:
    with pytest.raises(SetupError, match=r"^here: ") as caught:
        parse_keys(text, "here")
    assert base64.b64encode(GOOD).decode()[:12] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_material_is_in_no_repr_and_no_pickle() -> None:
    ring = parse_keys(_document(("1", GOOD)), "here")
    shown = f"{ring} {ring.roots} {ring.roots[0]!r}"
    assert base64.b64encode(GOOD).decode() not in shown
    assert GOOD.hex() not in shown
    assert ring.roots[0].id in shown
    with pytest.raises(TypeError):
        pickle.dumps(ring)
