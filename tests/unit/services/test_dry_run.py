"""Dry runs explain what is wrong with an event and who made it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tamis.cli.main import tamis

NOW = 1_795_168_800_000
RULES = """
rules:
  - id: sign_up
    version: 1
    owner: growth
    sla: 4h
    expected_by: none
    stage: intent
    match: {events: [Sign Up]}
    schema: {required: [plan], properties: {plan: {type: string}}, additionalProperties: false}
    destinations: [clean]
"""


def call(**more: object) -> str:
    body = {"type": "track", "messageId": "m", "event": "Sign Up", "anonymousId": "d-1", "properties": {"plan": "a"}}
    return json.dumps({**body, **more})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("policy.yaml", "destinations.yaml"):
        minimal = Path(__file__).parents[3] / "config/minimal" / name
        (tmp_path / name).write_text(minimal.read_text())
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def tried(config: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    arguments = ["try", "-", "--config", str(config), "--now", str(NOW), *options]
    found = CliRunner().invoke(tamis, arguments, input="\n".join(lines))
    return found.exit_code, found.output


def test_violations_and_bots_are_explained(config: Path) -> None:
    robot = {"userAgent": "curl/8.4.0"}
    code, text = tried(
        config,
        call(messageId="1", properties={}),
        call(messageId="2", properties={"plan": "a", "zoe@example.test": 1}, context=robot),
        options=("--json",),
    )
    assert code == 1
    bad, odd = [json.loads(line) for line in text.splitlines()]
    assert (bad["outcome"], bad["reason"], bad["path"]) == ("invalid", "required_missing", "properties.plan")
    assert bad["violations"] == [{"kind": "required_missing", "path": "properties.plan", "severity": "error"}]
    assert odd["violations"] == [{"kind": "additional_property", "path": "properties", "severity": "warning"}]
    assert odd["bot"] == "script"
    assert "zoe" not in text


def test_the_text_says_the_same(config: Path) -> None:
    _, text = tried(config, call(properties={}), call(messageId="2", event="Who"))
    assert "invalid   required_missing at properties.plan (rule sign_up#1)" in text
    assert "error: required_missing at properties.plan" in text
    assert "warning: unplanned_event at $.event" in text


def test_paths_belong_to_their_events_in_a_batch(config: Path) -> None:
    items = [json.loads(call(messageId="1", properties={})), {"type": "track"}, json.loads(call(messageId="3"))]
    _, text = tried(config, json.dumps({"batch": items}), options=("--json",))
    found = [json.loads(line) for line in text.splitlines()]
    assert [each.get("path", "") for each in found] == ["properties.plan", "$.batch[1].anonymousId", ""]
