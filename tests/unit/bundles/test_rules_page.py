"""The page for rule writers: its examples are valid and its tables are complete."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tamis.bundles.load import check_folder
from tamis.bundles.problem import errors
from tamis.bundles.schema_check import schema
from tamis.domain.minimise.generalise import KINDS
from tamis.domain.minimise.projection import ACTIONS, DROP, KEEP
from tests.support.bundles import CONFIG

PAGE = (CONFIG.parent / "docs" / "rules.md").read_text()
POLICY_PAGE = (CONFIG.parent / "docs" / "policy.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE + POLICY_PAGE, re.DOTALL)
FILES = {"rules:": "rules.yaml", "destinations:": "destinations.yaml", "regulation:": "policy.yaml"}


@pytest.mark.parametrize("block", BLOCKS)
def test_example(block: str, tmp_path: Path) -> None:
    shutil.copytree(CONFIG / "reference", tmp_path, dirs_exist_ok=True)
    name = FILES[block.split(maxsplit=1)[0]]
    (tmp_path / name).write_text(block)
    found = [problem for problem in errors(check_folder(tmp_path).problems) if problem.file == name]
    assert [str(problem) for problem in found] == []


def test_the_page_has_examples_of_all_files() -> None:
    assert {block.split(maxsplit=1)[0] for block in BLOCKS} == set(FILES)


def test_every_operator_key_and_action_is_explained() -> None:
    defs = schema("rules")["$defs"]
    words = {*defs["rule"]["properties"], *defs["condition"]["properties"], *defs["trigger"]["properties"]}
    words |= {*schema("destinations")["$defs"]["destination"]["properties"], *ACTIONS, *KINDS, KEEP, DROP}
    words |= {"regulation", "purposes", "sites", "sources", "aliases", "max_age"}
    assert {word for word in words if not re.search(rf"\b{word}\b", PAGE)} == set()


def test_every_line_of_the_policy_is_explained() -> None:
    whole = schema("policy")
    words = {*whole["properties"]}
    for part in whole["$defs"].values():
        words |= {*part.get("properties", ())}
        for inner in part.get("properties", {}).values():
            words |= {*inner.get("properties", ()), *inner.get("enum", ())}
    assert {word for word in words - {"title"} if not re.search(rf"\b{re.escape(word)}\b", POLICY_PAGE)} == set()


def test_the_schemas_are_valid_and_closed() -> None:
    for name in ("rules", "destinations", "policy"):
        text = json.dumps(schema(name))
        assert text.count('"additionalProperties"') >= 2
        assert schema(name)["$schema"].endswith("2020-12/schema")
