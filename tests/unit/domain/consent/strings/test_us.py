"""GPP sections of the United States against the published field tables, and what is refused."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest

from tamis.domain.consent.strings.description import describe
from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.gpp import decode_gpp
from tamis.domain.consent.strings.us import UsSection, decode_us
from tamis.domain.consent.strings.us_layouts import LAYOUTS
from tests.support.consent_samples import FIELDS
from tests.support.consent_strings import gpc, gpp_string, us_section

ANSWERS: dict[str | None, dict[str, Flaw | None]] = {
    "gpc": {"QA": None, "Q": None, "YA": None, "AA": Flaw.SEGMENT, "gA": Flaw.SEGMENT, "QB": Flaw.PADDING},
    "sensitive": {"AAA": None, "AAAA": None, "AA": Flaw.TRUNCATED, "DAA": Flaw.VALUE, "AAB": Flaw.PADDING},
    None: {"QA": Flaw.SEGMENT, "AAA": Flaw.SEGMENT},
}


def _values(row: dict[str, Any], start: int) -> list[Any]:
    numbers = cycle((start % 3, 1, 2, 0, 2, 1, (start + 1) % 3))
    return [
        1 + start % 2 if name == "MspaCoveredTransaction" else [next(numbers) for _ in range(n)] if n else next(numbers)
        for name, n in row["core"]
    ]


def _flaw(section: int, text: str) -> Flaw | None:
    found = decode_us(section, text)
    return found.flaw if isinstance(found, Malformed) else None


def test_the_tables_are_all_there() -> None:
    assert {(row["section"], row["version"]) for row in FIELDS} == {
        (section, version) for section, versions in LAYOUTS.items() for version in versions
    }
    assert set(LAYOUTS) == set(range(7, 28))


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['name']}-{row['version']}")
@pytest.mark.parametrize("fill", [6, 8])
def test_every_section_comes_back_by_the_names_of_its_table(row: dict[str, Any], fill: int) -> None:
    for start in range(6):
        values = _values(row, start)
        more = {"gpc": [gpc(start > 2)], "sensitive": ["0110" * 4], None: []}[row["segment"]]
        text = gpp_string({row["section"]: us_section(row["version"], values, *more, fill=fill)})
        found = decode_gpp(text)
        assert not isinstance(found, Malformed)
        expected = {row["version_field"]: row["version"]} | {
            name: value if isinstance(value, int) else tuple(value)
            for (name, _), value in zip(row["core"], values, strict=True)
        }
        if row["segment"] == "gpc":
            expected |= {"GpcSegmentType": 1, "Gpc": start > 2}
        elif row["segment"] == "sensitive":
            expected["SensitiveDataProcessing"] = (1, 2) * 4
        assert describe(text, found)["sections"] == {row["name"]: expected}


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['name']}-{row['version']}")
def test_every_section_is_strict(row: dict[str, Any]) -> None:
    section, version = row["section"], row["version"]
    good = us_section(version, _values(row, 1))
    assert _flaw(section, good) is None
    assert _flaw(section, us_section(3, _values(row, 1))) is Flaw.VERSION
    assert _flaw(section, us_section(0, _values(row, 1))) is Flaw.VERSION
    assert _flaw(section, us_section(section, _values(row, 1))) is Flaw.VERSION
    assert _flaw(section, "") is Flaw.EMPTY
    assert _flaw(section, good + "A" * 5) is Flaw.PADDING
    assert _flaw(section, good + ".") is not None
    assert _flaw(section, good + ".QA.QA") is Flaw.SEGMENT
    assert _flaw(section, good[:-3]) in {Flaw.TRUNCATED, Flaw.VALUE}
    for at, (name, count) in enumerate(row["core"]):
        values = _values(row, 1)
        values[at] = [*values[at][1:], 3] if count else 3
        assert _flaw(section, us_section(version, values)) is Flaw.VALUE, name
    uncovered = [
        0 if name == "MspaCoveredTransaction" else value
        for (name, _), value in zip(row["core"], _values(row, 1), strict=True)
    ]
    assert _flaw(section, us_section(version, uncovered)) is None


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['name']}-{row['version']}")
def test_another_segment_must_be_the_one_the_table_has(row: dict[str, Any]) -> None:
    core = us_section(row["version"], _values(row, 0))
    answers = ANSWERS[row["segment"]]
    assert {more: _flaw(row["section"], f"{core}.{more}") for more in answers} == answers


def test_an_absent_segment_is_not_shown_as_a_no() -> None:
    found = decode_gpp("DBABBg~BAYAAABA")
    assert not isinstance(found, Malformed)
    assert "Gpc" not in describe("", found)["sections"]["usca"]
    section = found.sections[8]
    assert isinstance(section, UsSection)
    assert section.gpc is None


def test_a_field_a_section_does_not_have_has_no_values() -> None:
    section = decode_us(9, "BAUAABA")
    assert isinstance(section, UsSection)
    assert (section.get("SharingOptOut"), section.get("SaleOptOut")) == ((), (1,))


@pytest.mark.parametrize("fill", [6, 8])
def test_the_longer_layout_of_usnat_came_before_its_version_number(fill: int) -> None:
    longer = next(row for row in FIELDS if (row["section"], row["version"]) == (7, 2))
    for start in range(6):
        text = us_section(1, _values(longer, start), gpc(False), fill=fill)
        found, same = decode_us(7, text), decode_us(7, us_section(2, _values(longer, start), gpc(False)))
        assert isinstance(found, UsSection)
        assert isinstance(same, UsSection)
        assert (found.version, found.values) == (1, same.values)
    assert _flaw(7, text.partition(".")[0][:-1] + ".QA") in {Flaw.PADDING, Flaw.VALUE}
