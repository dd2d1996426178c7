"""The file of mappings for consent tools without a payload contract: YAML to sources, all problems at once.

Rules: shape by ``schema/mappings.schema.json``; an id stands once and is no built-in source's; a single choice names
its category and its granted words; a list of choices names the categories there are, else nothing could be refused; a
word is not both a yes and a no; a mapping without an identity would be about nobody.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tamis.bundles.document import Place, top
from tamis.bundles.problem import Problem
from tamis.bundles.schema_check import check_shape
from tamis.bundles.yaml_file import read_yaml
from tamis.consent_sources.mapped import MappedSource, Mapping
from tamis.consent_sources.registry import SOURCES


def load_mappings(path: Path) -> tuple[MappedSource, ...] | list[Problem]:
    """The sources a file describes, or everything that is wrong with it.

    Raises:
        OSError: the file cannot be read.
    """
    document, problems = read_yaml(path.name, path.read_bytes())
    if document is None or problems:
        return problems
    problems = check_shape(document, "mappings") or list(_meaning(list(top(document).at("sources").elements())))
    if problems:
        return problems
    rows = document.value["sources"]
    return tuple(MappedSource(msgspec.convert({**row, "title": None}, Mapping)) for row in rows)


def _meaning(sources: list[Place]) -> Iterator[Problem]:
    seen = {source.id for source in SOURCES}
    for source in sources:
        name = source.text("id")
        if name in seen:
            yield source.at("id").error(f'a source "{name}" exists already')
        seen.add(name)
        if not (source.text("person") or source.text("device")):
            yield source.error(f'"{name}" names neither a person nor a device')
        for choice in source.at("choices").elements():
            yield from _choice(choice)


def _choice(choice: Place) -> Iterator[Problem]:
    many = choice.text("many")
    granted, denied = (list(choice.at(key).value or ()) for key in ("granted", "denied"))
    if not many and not choice.text("category"):
        yield choice.error('a choice needs its "category"')
    if many == "listed" and not choice.at("of").value:
        yield choice.error('"listed" needs "of": the categories there are, or nothing could be refused')
    if many != "listed" and not granted:
        yield choice.error('a choice needs the words that are a yes ("granted")')
    for word in granted:
        if word in denied:
            yield choice.at("granted").error(f'"{word}" is both a yes and a no')
