"""Formats are told apart by how a string begins, and a string of none is refused."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.reading import Format, format_of, read


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CQuFeUA", Format.TCF), ("BOEFEAy", Format.TCF), ("DBABTA~1YNN", Format.GPP), ("DBAA", Format.GPP),
        ("x~y", Format.GPP), ("G111", Format.GCS), ("1YNN", Format.USP), ("1", Format.USP), ("2YNN", Format.USP),
        ("11p1p1p1p5", Format.GCD), ("13l3l3l3l1l1", Format.GCD), ("", None), ("{}", None), ("G2", None), ("é", None),
        ("\u0661YNN", None),
    ],
)  # fmt: skip
def test_how_a_string_begins_says_what_it_claims_to_be(text: str, kind: Format | None) -> None:
    assert format_of(text) is kind


@pytest.mark.parametrize(("text", "flaw"), [("", Flaw.EMPTY), ("hello", Flaw.FORMAT), ("hello" * 2000, Flaw.TOO_LONG)])
def test_a_string_of_no_format_is_refused(text: str, flaw: Flaw) -> None:
    assert read(text) == Malformed(flaw)


@pytest.mark.parametrize("wanted", list(Format))
def test_a_stated_format_is_not_guessed(wanted: Format) -> None:
    strings = {
        Format.TCF: "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA", Format.GPP: "DBABTA~1YNN",
        Format.USP: "1YNN", Format.GCS: "G111", Format.GCD: "11p1p1p1p5",
    }  # fmt: skip
    assert {kind for kind, text in strings.items() if not isinstance(read(text, wanted), Malformed)} == {wanted}
    assert not isinstance(read(strings[wanted]), Malformed)
