"""An export keeps every byte of every value, and says when it is not whole."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.settings import SetupError
from tamis.stores.audit_export import MANIFEST, AuditExportWriter, read_export
from tests.support.audit import sample

if TYPE_CHECKING:
    from pathlib import Path


def test_two_partitions_written_in_turns_come_back_as_they_were(tmp_path: Path) -> None:
    with AuditExportWriter(tmp_path / "out", "t.audit.log") as writer:
        for one, other in zip(sample(0), sample(1), strict=True):
            writer.write(1, *other)
            writer.write(0, *one)
    manifest, logs = read_export(tmp_path / "out")
    assert (manifest.topic, [log.partition for log in logs]) == ("t.audit.log", [0, 1])
    assert [list(log) for log in logs] == [sample(0), sample(1)]
    assert all(log.agrees for log in logs)
    assert (manifest.logs[0].records, manifest.logs[0].leaves) == (32, 27)


def test_the_format_is_lines_and_a_manifest_with_their_digest(tmp_path: Path) -> None:
    with AuditExportWriter(tmp_path, "audit.log") as writer:
        writer.write(3, False, b'{"a":1}')
        writer.write(3, True, b'{"b":2}')
        writer.write(3, False, b"x\ny")
    text = (tmp_path / "3.log").read_bytes()
    assert text == b'L {"a":1}\nH {"b":2}\nl eAp5\n'
    assert json.loads((tmp_path / MANIFEST).read_text()) == {
        "topic": "audit.log",
        "logs": {"3": {"records": 3, "leaves": 2, "sha256": hashlib.sha256(text).hexdigest()}},
        "v": 1,
    }


@given(records=st.lists(st.tuples(st.booleans(), st.binary(max_size=20)), min_size=1, max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_survive(tmp_path_factory: pytest.TempPathFactory, records: list[tuple[bool, bytes]]) -> None:
    folder = tmp_path_factory.mktemp("export")
    with AuditExportWriter(folder, "audit.log") as writer:
        for is_head, value in records:
            writer.write(0, is_head, value)
    assert list(read_export(folder)[1][0]) == records


@pytest.mark.parametrize("line", [b"", b"L", b"X y", b"l !!!", b"\xff\n"])
def test_a_line_nobody_wrote_becomes_a_leaf_no_check_accepts(tmp_path: Path, line: bytes) -> None:
    with AuditExportWriter(tmp_path, "audit.log") as writer:
        writer.write(0, False, b"{}")
    (tmp_path / "0.log").write_bytes(line + b"\n")
    log = read_export(tmp_path)[1][0]
    assert [is_head for is_head, _ in log] == [False] * (line + b"\n").count(b"\n")
    assert not log.agrees


def test_an_unfinished_export_is_no_export(tmp_path: Path) -> None:
    writer = AuditExportWriter(tmp_path, "audit.log")
    writer.write(0, False, b"{}")
    writer.flush()
    assert (tmp_path / "0.log").read_bytes() == b"L {}\n"
    with pytest.raises(SetupError, match="no finished export"):
        read_export(tmp_path)
    writer.close()
    assert len(read_export(tmp_path)[1]) == 1


def test_a_failing_writer_leaves_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(TypeError), AuditExportWriter(tmp_path, "audit.log") as writer:
        writer.write(0, False, None)  # type: ignore[arg-type]
    assert not (tmp_path / MANIFEST).exists()


def test_a_folder_with_an_export_is_not_written_over(tmp_path: Path) -> None:
    AuditExportWriter(tmp_path, "audit.log").close()
    with pytest.raises(SetupError, match="already holds"):
        AuditExportWriter(tmp_path, "audit.log")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cannot be read"), ('{"topic":"t","logs":{},"v":9}', "version 9"),
     ('{"topic":"t","logs":{"7":{}}}', "7.log is missing")],
)  # fmt: skip
def test_a_manifest_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SetupError, match=message):
        read_export(tmp_path)
