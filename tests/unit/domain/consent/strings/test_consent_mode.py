"""Consent Mode: a default is not a person's yes, an unknown letter is none, and the form is exact."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.consent_mode import (
    TYPES,
    ConsentMode,
    Signal,
    decode_gcd,
    decode_gcs,
    forget_gcd,
)
from tamis.domain.consent.strings.flaw import Flaw, Malformed


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ("G100", (Signal.DENIED, Signal.DENIED)),
        ("G101", (Signal.DENIED, Signal.GRANTED)),
        ("G110", (Signal.GRANTED, Signal.DENIED)),
        ("G1--", (Signal.UNSET, Signal.UNSET)),
    ],
)
def test_gcs_speaks_of_two_types(text: str, signals: tuple[Signal, ...]) -> None:
    found = decode_gcs(text)
    assert found == ConsentMode("gcs", signals)
    assert found.get("ad_user_data") is Signal.UNSET


@pytest.mark.parametrize(
    ("letter", "signal"),
    [
        ("l", Signal.UNSET), ("p", Signal.DENIED_BY_DEFAULT), ("q", Signal.DENIED), ("m", Signal.DENIED),
        ("u", Signal.DENIED), ("t", Signal.GRANTED_BY_DEFAULT), ("r", Signal.GRANTED), ("n", Signal.GRANTED),
        ("v", Signal.GRANTED), ("x", Signal.UNKNOWN), ("T", Signal.UNKNOWN),
    ],
)  # fmt: skip
def test_each_letter_has_one_meaning(letter: str, signal: Signal) -> None:
    for at, name in enumerate(TYPES):
        letters = ["p"] * 4
        letters[at] = letter
        found = decode_gcd("11" + "1".join(letters) + "5")
        assert isinstance(found, ConsentMode)
        assert found.get(name) is signal
        assert [found.get(other) for other in TYPES if other != name] == [Signal.DENIED_BY_DEFAULT] * 3


def test_further_pairs_are_not_read() -> None:
    forget_gcd()
    found = decode_gcd("13l3l3l3l1l1")
    assert found == ConsentMode("gcd", (Signal.UNSET,) * 4)
    assert decode_gcd("11p1p1p1p5v1") == ConsentMode("gcd", (Signal.DENIED_BY_DEFAULT,) * 4)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.EMPTY), ("1", Flaw.TRUNCATED), ("11t1t1t1t", Flaw.TRUNCATED), ("11t1t1t1tt", Flaw.VALUE),
        ("21t1t1t1t5", Flaw.VERSION), ("11t1t1t1t5t", Flaw.VALUE), ("11t1t1t1t5\n", Flaw.VALUE),
        ("11t1t1t1t٣", Flaw.VALUE),
        ("11" + "t1" * 20, Flaw.VALUE), ("11t1t1t1t5" * 900, Flaw.TOO_LONG),
    ],
)  # fmt: skip
def test_what_gcd_refuses(text: str, flaw: Flaw) -> None:
    assert decode_gcd(text) == Malformed(flaw)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.EMPTY), ("G", Flaw.TRUNCATED), ("G11", Flaw.TRUNCATED), ("G1111", Flaw.VALUE), ("G1x1", Flaw.VALUE),
        ("G211", Flaw.VERSION), ("G" * 9000, Flaw.TOO_LONG), ("g111", Flaw.VERSION),
    ],
)  # fmt: skip
def test_what_gcs_refuses(text: str, flaw: Flaw) -> None:
    assert decode_gcs(text) == Malformed(flaw)
