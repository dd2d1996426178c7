"""GPP strings: headers, sections that stand for themselves, and what is refused or not read."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.description import describe
from tamis.domain.consent.strings.flaw import MAX_CHARS, Flaw, Malformed, Unsupported
from tamis.domain.consent.strings.gpp import MOST_SECTIONS, GppString, decode_gpp, forget_gpp
from tamis.domain.consent.strings.tcf import TcString
from tamis.domain.consent.strings.usp import UspString
from tests.support.consent_strings import Tc, fibonacci, gpp_string, header, number, tc_string, text_of

USCA = "BAYAAABA.QA"


def _decoded(text: str) -> GppString:
    found = decode_gpp(text)
    assert isinstance(found, GppString), found
    return found


def _head(items: int, bits: str) -> str:
    return text_of(number(3, 6) + number(1, 6) + number(items, 12) + bits)


@pytest.mark.parametrize(
    "ids", [[], [1], [2], [2, 6], [5, 6], [7, 8, 9], [2, 6, 7, 9, 10, 27], [4180], [1, 28656], [*range(1, 65)]]
)
def test_any_list_of_sections_comes_back(ids: list[int]) -> None:
    text = "~".join([header(ids), *("1YNN" for _ in ids)])
    assert list(_decoded(text).sections) == ids


@pytest.mark.parametrize(("value", "code"), [(1, "11"), (2, "011"), (4, "1011"), (6, "10011"), (7, "01011")])
def test_the_test_s_own_fibonacci_codes_are_the_specification_s(value: int, code: str) -> None:
    assert fibonacci(value) == code


def test_each_section_is_read_by_its_own_rules() -> None:
    found = _decoded(gpp_string({2: tc_string(Tc()), 5: "whatever", 6: "1YNN", 8: USCA, 300: "A"}))
    assert isinstance(found.sections[2], TcString)
    assert found.sections[5] == Unsupported(5)
    assert found.sections[300] == Unsupported(300)
    assert found.sections[6] == UspString("Y", "N", "N")
    assert found.malformed() is None


def test_a_section_that_cannot_be_read_leaves_the_others() -> None:
    found = _decoded(gpp_string({2: tc_string(Tc())[:24], 6: "1YNN", 8: "BAYA"}))
    assert found.sections[2] == Malformed(Flaw.TRUNCATED, "core")
    assert found.sections[8] == Malformed(Flaw.TRUNCATED, "usca")
    assert found.malformed() == Malformed(Flaw.TRUNCATED, "tcfeuv2 core")
    assert isinstance(found.sections[6], UspString)
    assert describe("", found)["sections"]["usca"] == {"error": "usca: ends inside a field"}


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.EMPTY),
        ("D" * (MAX_CHARS + 1), Flaw.TOO_LONG),
        ("~1YNN", Flaw.EMPTY),
        ("D", Flaw.TRUNCATED),
        ("DBA", Flaw.TRUNCATED),
        (header([6], kind=2) + "~1YNN", Flaw.VERSION),
        (header([6], version=2) + "~1YNN", Flaw.VERSION),
        (header([6]), Flaw.SECTIONS),
        (header([6]) + "~1YNN~1YNN", Flaw.SECTIONS),
        (header([2, 6]) + "~1YNN", Flaw.SECTIONS),
        (header([]) + "~1YNN", Flaw.SECTIONS),
        (_head(1, "1" + fibonacci(5) + fibonacci(9000)) + "~A~A", Flaw.SECTIONS),
        (_head(1, "0001") + "~1YNN", Flaw.TRUNCATED),
        (_head(1, "1" + fibonacci(5)) + "~A~A", Flaw.TRUNCATED),
        (_head(1, "0" + "0" * 40 + "11") + "~1YNN", Flaw.TRUNCATED),
        (_head(1, "0" + fibonacci(6) + "1") + "~1YNN", Flaw.PADDING),
        (_head(1, "0" + fibonacci(6) + "0" * 24) + "~1YNN", Flaw.PADDING),
        (header([6])[:-1] + "=~1YNN", Flaw.ALPHABET),
        ("~".join([header([*range(1, 66)]), *("A" for _ in range(65))]), Flaw.SECTIONS),
    ],
)
def test_a_header_that_is_not_exactly_right_refuses_the_whole_string(text: str, flaw: Flaw) -> None:
    found = decode_gpp(text)
    assert isinstance(found, Malformed)
    assert (found.flaw, found.part) in {(flaw, ""), (flaw, "header")}
    assert MOST_SECTIONS == 64


def test_an_empty_section_is_malformed_not_absent() -> None:
    assert _decoded(header([6]) + "~").sections == {6: Malformed(Flaw.EMPTY)}
    assert _decoded(header([8]) + "~").sections == {8: Malformed(Flaw.EMPTY, "usca")}


def test_answers_are_remembered_refusals_too() -> None:
    forget_gpp()
    assert decode_gpp("DBABTA~1YYN") is decode_gpp("DBABTA~1YYN")
    assert decode_gpp("DBABTA") is decode_gpp("DBABTA")
