"""Mapped sources: the shipped samples, and what a mapping file may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tamis.bundles.consent_reader import consent_reader
from tamis.bundles.mappings import load_mappings
from tamis.bundles.problem import Problem
from tamis.consent_sources.mapped import MappedSource
from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid
from tamis.settings import ConsentSettings, Settings, SetupError

SAMPLE = Path(__file__).parents[3] / "config/consent-mappings.yaml"
G, D = Status.GRANTED, Status.DENIED
AT = 1_739_692_800_000


@pytest.fixture(scope="module")
def reader() -> ConsentReader:
    found = load_mappings(SAMPLE)
    assert isinstance(found, tuple)
    return ConsentReader(None, found)


def read(reader: ConsentReader, body: dict[str, Any]) -> list[Statement | Invalid]:
    found = reader.read(orjson.dumps(body))
    assert isinstance(found, list)
    return found


def test_trustarc_states_nothing_before_somebody_chose(reader: ConsentReader) -> None:
    body = {"consentDecision": [1, 2], "source": "asserted", "visitorId": "v", "timestamp": AT}
    (said,) = read(reader, body)
    assert isinstance(said, Statement)
    assert (said.source, said.choices, said.effective_at) == ("trustarc", {"ta-1": G, "ta-2": G, "ta-3": D}, AT)
    assert read(reader, body | {"source": "implied"}) == []
    assert read(reader, body | {"consentDecision": "1,2"}) == [Invalid("wrong_type", "$")]


@pytest.mark.parametrize(
    ("answer", "choices"),
    [
        ("Yes", {"marketing": G}), ("no", {"marketing": D}), ("<b>yes</b>", {"marketing": D}),
        ("later", {"marketing": D}), (1, {"marketing": D}),
    ],
)  # fmt: skip
def test_zigpoll_answers_count_under_the_mapped_question(reader: ConsentReader, answer: Any, choices: Any) -> None:
    body = {"pollId": "replace-with-your-poll-id", "response": answer, "participant": {"email": "a@example.test"}}
    (said,) = read(reader, body | {"createdAt": "2025-02-16T08:00:00Z"})
    assert isinstance(said, Statement)
    assert (said.choices, said.person, said.effective_at) == (choices, "a@example.test", AT)
    (other,) = read(reader, body | {"pollId": "another"})
    assert isinstance(other, Statement)
    assert other.choices == {}


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    found = load_mappings(path)
    assert isinstance(found, list)
    assert all(isinstance(problem, Problem) for problem in found)
    return [str(problem) for problem in found]


PERSON = "    person: /u\n    "
BASE = "sources:\n  - id: a\n    claims: {/x: null}\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sources: []", 'm.yaml:1:1: error: "sources" must not be empty'),
        (BASE + "    person: /u\n    choices: [{pointer: x, category: c, granted: [true]}]", "a JSON pointer"),
        (BASE + "    choices: [{pointer: /c, category: c, granted: [true]}]", "names neither a person nor a device"),
        (BASE + "    person: /u\n    choices: [{pointer: /c, granted: [true]}]", 'needs its "category"'),
        (BASE + "    person: /u\n    choices: [{pointer: /c, category: c}]", "words that are a yes"),
        (BASE + "    person: /u\n    choices: [{pointer: /c, many: listed}]", 'needs "of"'),
        (BASE + PERSON + "choices: [{pointer: /c, category: c, granted: [y], denied: [y]}]", "both a yes and a no"),
        (BASE.replace("id: a", "id: ketch") + PERSON + "choices: [{pointer: /c, category: c, granted: [y]}]", "exists"),
        ("sources: [", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_refused_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    found = problems(tmp_path, text)
    assert any(wanted in problem for problem in found), found
    assert all(problem.startswith("m.yaml:") for problem in found)


def test_the_settings_name_the_file_and_the_source(tmp_path: Path) -> None:
    mapped = consent_reader(Settings(consent=ConsentSettings(mappings=str(SAMPLE), source="trustarc")))
    assert mapped.read(b'{"source": "asserted", "consentDecision": [], "visitorId": "v"}') != []
    with pytest.raises(SetupError, match=r"consent\.mappings: .*: No such file"):
        consent_reader(Settings(consent=ConsentSettings(mappings=str(tmp_path / "none"))))
    with pytest.raises(SetupError, match=r"consent\.source: unknown consent source"):
        consent_reader(Settings(consent=ConsentSettings(source="nobody")))
    (tmp_path / "bad").write_text("sources: 1")
    with pytest.raises(SetupError, match="cannot be used"):
        consent_reader(Settings(consent=ConsentSettings(mappings=str(tmp_path / "bad"))))


def test_pointers_reach_lists_and_escaped_names() -> None:
    found = load_mappings(SAMPLE)
    assert isinstance(found, tuple)
    assert all(isinstance(source, MappedSource) for source in found)
    from tamis.consent_sources.mapped import point  # noqa: PLC0415 - only here

    assert point({"a/b": [{"c~d": 5}]}, "/a~1b/0/c~0d") == 5
    assert point({"a": []}, "/a/0") is point({}, "/x")
