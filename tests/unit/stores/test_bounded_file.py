"""Files of strangers cost no more memory than a file of their kind can have."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from click.testing import CliRunner

from tamis.cli.main import tamis
from tamis.stores.audit_export import AuditExportWriter, read_export
from tamis.stores.bounded_file import MOST_BYTES, MOST_LINE, lines_bounded, read_bounded
from tests.support.audit import sample
from tests.support.sealed_prod import KEY, write_prod

if TYPE_CHECKING:
    from pathlib import Path


def _sparse(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def test_reading_stops_behind_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ab\ncdef\n")
    assert (read_bounded(path, 3), read_bounded(path)) == (b"ab\nc", b"ab\ncdef\n")
    with path.open("rb") as file:
        assert list(lines_bounded(file, 3)) == [b"ab\n", b"cde", b"f\n"]


def test_huge_files_in_a_folder_of_logs_are_refused(tmp_path: Path) -> None:
    honest = write_prod(tmp_path / "honest").folder
    for name in ("checkpoint", "tile/0/000", "tile/entries/000", "heads"):
        place = tmp_path / name.replace("/", "-")
        shutil.copytree(honest, place)
        _sparse(place / "audit.log/p0/e1" / name, 3 * MOST_BYTES)
        result = CliRunner().invoke(tamis, ["audit", "verify", str(place), "--vkey", str(KEY)])
        assert result.exit_code != 0, name


def test_an_endless_line_of_an_export_is_no_leaf(tmp_path: Path) -> None:
    with AuditExportWriter(tmp_path, "audit.log") as writer:
        for is_head, value in sample():
            writer.write(0, is_head, value)
    _sparse(tmp_path / "0.log", 5 * MOST_LINE)
    (log,) = read_export(tmp_path)[1]
    assert max(len(value) for _, value in log) <= MOST_LINE
    assert not log.agrees
    assert CliRunner().invoke(tamis, ["audit", "verify", str(tmp_path)]).exit_code == 1
