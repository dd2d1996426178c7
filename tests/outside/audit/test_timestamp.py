"""Timestamps of a real authority (openssl): what is accepted, and that nothing bent is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.timestamp import TimestampError, stamp_request, stamped_at, trusted_certificates
from tests.support.outside import flips
from tests.support.requirements import require
from tests.support.tsa import Authority

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"a text\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    require("openssl")
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def answer(authority: Authority) -> bytes:
    return authority.reply(stamp_request(TEXT).body)


def test_a_timestamp_is_of_one_text_under_one_root(authority: Authority, answer: bytes, tmp_path: Path) -> None:
    trusted = trusted_certificates(authority.root.read_bytes())
    assert stamped_at(answer, TEXT, trusted).tzinfo is not None
    with pytest.raises(TimestampError, match="Mismatch between messages"):
        stamped_at(answer, TEXT + b"\n", trusted)
    other = trusted_certificates(Authority(tmp_path).root.read_bytes())
    with pytest.raises(TimestampError, match="unable to get local issuer"):
        stamped_at(answer, TEXT, other)
    with pytest.raises(TimestampError, match="Nonce"):
        stamped_at(answer, TEXT, trusted, nonce=1)


def test_a_changed_byte_breaks_it(authority: Authority, answer: bytes) -> None:
    """All but the name of the signer's algorithm, which OpenSSL takes from the key: the last OID of the response."""
    trusted = trusted_certificates(authority.root.read_bytes())
    algorithm = answer.rindex(bytes.fromhex("06082a8648ce3d040302"))  # ecdsa-with-SHA256
    for place, bent in enumerate(flips(answer)):
        if algorithm <= place < algorithm + 10:
            continue
        with pytest.raises(TimestampError):
            stamped_at(bent, TEXT, trusted)


@pytest.mark.parametrize("answer", [b"", b"\x30", b"<html>", bytes.fromhex("30053003020102")])
def test_what_is_no_granted_timestamp(authority: Authority, answer: bytes) -> None:
    with pytest.raises(TimestampError):
        stamped_at(answer, TEXT, trusted_certificates(authority.root.read_bytes()))


def test_a_file_without_a_certificate() -> None:
    with pytest.raises(TimestampError, match="no certificate"):
        trusted_certificates(b"-----BEGIN NOTHING-----\n")
