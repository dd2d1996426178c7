"""Folder and topic give the same reports; a file that is not the manifest's fails by that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.domain.audit.report import Check
from tamis.kafka.reader import TopicRecord
from tamis.services.audit_check import CheckPolicy, export_records, verify_export, verify_records
from tests.support.audit import sample

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.audit import Record


def of_topic(partition: int, records: list[Record]) -> list[TopicRecord]:
    """The records as the topic reader gives them."""
    return [
        TopicRecord(
            topic="audit.log",
            partition=partition,
            offset=offset,
            timestamp=0,
            key=None,
            value=value,
            headers=(HEAD_HEADER,) if is_head else (),
        )
        for offset, (is_head, value) in enumerate(records)
    ]


def test_an_export_and_its_topic_give_the_same_reports(tmp_path: Path) -> None:
    records = [record for pair in zip(of_topic(0, sample(0)), of_topic(1, sample(1)), strict=True) for record in pair]
    manifest = export_records(records, tmp_path, "audit.log")
    reports = verify_export(tmp_path)
    assert reports == verify_records(records)
    assert [(report.partition, report.ok, report.leaves) for report in reports] == [(0, True, 27), (1, True, 27)]
    assert {entry.leaves for entry in manifest.logs.values()} == {27}


def test_a_file_cut_behind_a_head_fails_by_the_manifest(tmp_path: Path) -> None:
    export_records(of_topic(0, sample(0)), tmp_path, "audit.log")
    lines = (tmp_path / "0.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "0.log").write_bytes(b"".join(lines[:7]))
    (report,) = verify_export(tmp_path)
    assert report.failure is not None
    assert (report.failure.check, report.failure.until) == (Check.MANIFEST, 6)


def test_a_tampered_file_fails_by_its_own_check_and_the_others_are_still_checked(tmp_path: Path) -> None:
    export_records([*of_topic(0, sample(0)), *of_topic(1, sample(1))], tmp_path, "audit.log")
    path = tmp_path / "0.log"
    path.write_bytes(path.read_bytes().replace(b'"why":"granted"', b'"why":"grunted"', 1))
    first, second = verify_export(tmp_path)
    assert first.failure is not None
    assert first.failure.check is Check.ROOT
    assert second.ok


def test_swapped_files_fail_as_another_partitions(tmp_path: Path) -> None:
    export_records([*of_topic(0, sample(0)), *of_topic(1, sample(1))], tmp_path, "audit.log")
    (tmp_path / "0.log").rename(tmp_path / "x")
    (tmp_path / "1.log").rename(tmp_path / "0.log")
    (tmp_path / "x").rename(tmp_path / "1.log")
    checks = [report.failure.check for report in verify_export(tmp_path) if report.failure]
    assert checks == [Check.SOURCE, Check.SOURCE]


def test_the_policy_reaches_the_verifier(tmp_path: Path) -> None:
    export_records(of_topic(0, sample(0)[7:]), tmp_path, "audit.log")
    assert [report.ok for report in verify_export(tmp_path)] == [False]
    assert [report.ok for report in verify_export(tmp_path, CheckPolicy(partial=True))] == [True]


def test_a_tombstone_fails_as_a_shape() -> None:
    (report,) = verify_records(
        [TopicRecord(topic="audit.log", partition=0, offset=0, timestamp=0, key=b"x", value=None)]
    )
    assert report.failure is not None
    assert report.failure.check is Check.SHAPE


def test_progress_is_told_now_and_then() -> None:
    seen: list[int] = []
    records = of_topic(0, sample(0)) * 4000
    verify_records(records, progress=seen.append)
    assert seen == [100_000]
