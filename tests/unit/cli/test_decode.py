"""``tamis decode`` as a user runs it."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tamis.cli.main import main

CALL = {"type": "track", "event": "Signed Up", "userId": "u-1", "messageId": "m-1", "timestamp": "2025-02-16T08:00:00Z"}
KEYS = ["file", "index", "vendor", "kind", "event_id", "event_id_derived", "name", "occurred_at", "sent_at",
        "anonymous_id", "user_id", "properties", "context", "consent"]  # fmt: skip


def run(
    arguments: list[str], capsys: pytest.CaptureFixture[str], lines: bytes = b"", monkeypatch: Any = None
) -> tuple[int, list[Any], str]:
    if monkeypatch is not None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    try:
        code = main(["decode", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def file_of(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_files_in_order_each_event_with_its_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    batch = file_of(tmp_path, "b.json", {"body": json.dumps({"batch": [CALL, CALL | {"messageId": "m-2"}]})})
    single = file_of(tmp_path, "a.json", {"body": json.dumps(CALL), "headers": {"Sec-GPC": "1"}})
    code, found, _ = run([batch, single], capsys)
    assert code == 0
    assert [list(event) for event in found] == [KEYS] * 3
    assert [(event["file"], event["index"], event["event_id"]) for event in found] == [
        (batch, 0, "m-1"), (batch, 1, "m-2"), (single, 0, "m-1"),
    ]  # fmt: skip
    assert found[0]["occurred_at"] == "2025-02-16T08:00:00.000Z"
    assert found[2]["consent"] == {"gpc": True}


def test_lines_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"value": json.dumps(CALL), "headers": {}, "endpoint": None}, {"value": "nonsense"}, {"nothing": 1},
             {"value": "", "endpoint": "/g/collect?v=2&tid=G-1&cid=c&en=a"}]  # fmt: skip
    raw = b"\n\n".join(json.dumps(line).encode() for line in lines)
    code, found, _ = run(["--jsonl"], capsys, raw, monkeypatch)
    assert code == 1
    assert [list(event)[:4] for event in found[1:3]] == [["file", "index", "error", "path"]] * 2
    assert [event.get("vendor", event.get("error")) for event in found] == [
        "segment",
        "not_json",
        "missing_field",
        "ga4",
    ]
    assert [event["file"] for event in found] == ["-:1", "-:3", "-:5", "-:7"]


def test_lines_of_a_file_and_a_file_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_of(tmp_path, "x.jsonl", json.dumps({"value": CALL}) + "\n")
    assert run(["--jsonl", name], capsys)[1][0]["file"] == f"{name}:1"
    content = json.dumps({"body": json.dumps(CALL)}).encode()
    assert run(["-"], capsys, content, monkeypatch)[1][0]["file"] == "-"


def test_a_vendor_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = file_of(tmp_path, "a.json", {"body": json.dumps(CALL)})
    assert run(["--vendor", "jitsu", name], capsys)[1][0]["vendor"] == "jitsu"
    code, (refused,), _ = run(["--vendor", "ga4", name], capsys)
    assert (code, refused["error"], refused["path"]) == (1, "missing_field", "$.events")


def test_ids_that_name_nobody_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = file_of(tmp_path, "a.json", {"body": json.dumps(CALL | {"userId": "NULL", "anonymousId": "a-1"})})
    (found,) = run([name], capsys)[1]
    assert (found["user_id"], found["anonymous_id"], found["placeholder"]) == ("NULL", "a-1", ["user_id"])


def test_files_that_hold_no_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, empty = file_of(tmp_path, "a.json", "{"), file_of(tmp_path, "b.json", "{}")
    code, found, _ = run([broken, empty], capsys)
    assert code == 1
    assert [(event["error"], event["path"]) for event in found] == [("not_json", "$"), ("missing_field", "$.body")]


@pytest.mark.parametrize("arguments", [[], ["nowhere.json"], ["--vendor", "nobody", "-"], ["--nonsense"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, found, err = run(arguments, capsys)
    assert (code, found) == (2, [])
    assert err.startswith("error: ")


def test_a_consent_payload_is_shown_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choices = {"marketing": "granted", "analytics": "denied"}
    identity = {"person": "u-1", "device": "d-1"}
    stated = {"type": "consent", "identity": identity, "choices": choices, "effective_at": "2025-02-16T08:00:00Z"}
    name = file_of(tmp_path, "a.json", {"body": json.dumps(stated)})
    code, (found,), _ = run([name], capsys)
    assert (code, list(found)) == (0, KEYS)
    assert (found["kind"], found["user_id"], found["anonymous_id"]) == ("consent", "u-1", "d-1")
    assert found["occurred_at"] == "2025-02-16T08:00:00.000Z"
    assert found["consent"]["purposes"] == choices
