"""Consent strings made by the official libraries decode, field by field, to what those libraries say they hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tamis.domain.consent.strings.description import describe
from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.reading import Format, format_of, read

FOLDER = Path(__file__).parent / "consent_strings"
TCF: list[dict[str, Any]] = json.loads((FOLDER / "tcf_v2.json").read_text())
GPP: list[dict[str, Any]] = json.loads((FOLDER / "gpp.json").read_text())


def _described(text: str) -> dict[str, Any]:
    found = read(text)
    assert not isinstance(found, Malformed), found.message()
    described: dict[str, Any] = json.loads(json.dumps(describe(text, found)))
    return described


@pytest.mark.parametrize("vector", TCF, ids=lambda vector: vector["name"])
def test_a_tc_string_holds_what_its_maker_put_in(vector: dict[str, Any]) -> None:
    described = _described(vector["tc_string"])
    assert described["format"] == "tcf"
    assert {name: described.get(name) for name in vector if name != "name"} == {
        name: value for name, value in vector.items() if name != "name"
    }


@pytest.mark.parametrize("vector", GPP, ids=lambda vector: vector["name"])
def test_a_gpp_string_holds_what_its_maker_put_in(vector: dict[str, Any]) -> None:
    described = _described(vector["gpp_string"])
    assert described == {"format": "gpp", **{name: value for name, value in vector.items() if name != "name"}}
    for name, section in vector["sections"].items():
        assert list(described["sections"][name]) == list(section)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA", [2]),
        ("DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN", [2, 6]),
        ("DBABjw~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN", [5, 6]),
    ],
)
def test_the_specification_s_own_gpp_examples_are_read(text: str, ids: list[int]) -> None:
    assert _described(text)["section_ids"] == ids


def test_the_specification_s_own_tc_string_is_read() -> None:
    described = _described("CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA")
    assert described["created"] == "2025-06-03T00:00:00.000Z"
    assert described["vendors_disclosed"] == [[1, 5], [100, 100], [404, 404]]


def test_formats_are_told_apart_by_how_they_begin() -> None:
    assert {format_of(vector["tc_string"]) for vector in TCF} == {Format.TCF}
    assert {format_of(vector["gpp_string"]) for vector in GPP} == {Format.GPP}


def test_a_reject_all_string_cut_short_is_malformed() -> None:
    whole = next(vector["tc_string"] for vector in TCF if vector["name"] == "reject_all")
    disclosed = whole.rindex(".")
    for length in range(disclosed):
        assert isinstance(read(whole[:length]), Malformed) or set(whole[length:disclosed]) == {"A"}, length
    assert read(whole[:24]) == Malformed(Flaw.TRUNCATED, "core")
