"""A log's folder: what is appended is there again, a crash between any two steps is made good, full tiles stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.merkle import Frontier, leaf_hashes
from tamis.domain.audit.proof import range_root
from tamis.stores.tile_folder import FolderDamagedError, TileFolder, TileWriter

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = [b"entry %d" % n for n in range(70_000)]
DIGESTS = leaf_hashes(ENTRIES)


def _root(size: int) -> bytes:
    tree = Frontier()
    tree.extend(DIGESTS[:size])
    return tree.root()


@pytest.mark.parametrize("steps", [[1], [255, 1, 1], [256], [300, 300], [65_536, 4_464], [1] * 20])
def test_tiles_give_the_root_and_the_entries_however_they_were_appended(tmp_path: Path, steps: list[int]) -> None:
    size, end = 0, 0
    for step in steps:
        writer = TileWriter(tmp_path, size, end, sync=False)  # each time anew, as after a restart
        writer.append(ENTRIES[size : size + step], DIGESTS[size : size + step])
        writer.head(size + step, b"head %d" % step)
        writer.flush()
        old, size, end = size, size + step, writer.heads_end
        writer.forget_partials(old)
    folder = TileFolder(tmp_path)
    assert range_root(folder.nodes(size), 0, size) == _root(size)
    assert [entry for bundle in folder.entries(size) for entry in bundle] == ENTRIES[:size]
    assert list(folder.heads()) == [(sum(steps[: n + 1]), b"head %d" % step) for n, step in enumerate(steps)]


def test_what_was_written_and_not_kept_is_written_again(tmp_path: Path) -> None:
    lost = TileWriter(tmp_path, sync=False)
    lost.append(ENTRIES[:300], DIGESTS[:300])
    lost.head(300, b"h")
    lost.flush()
    again = TileWriter(tmp_path, 0, 0, sync=False)
    again.append(ENTRIES[:300], DIGESTS[:300])
    again.head(300, b"h")
    again.flush()
    assert list(TileFolder(tmp_path).heads()) == [(300, b"h")]
    with pytest.raises(FolderDamagedError, match="would change"):
        TileWriter(tmp_path, 0, 0, sync=False).append(ENTRIES[1:257], DIGESTS[1:257])


def test_a_missing_or_short_file_is_named(tmp_path: Path) -> None:
    writer = TileWriter(tmp_path, sync=False)
    writer.append(ENTRIES[:5], DIGESTS[:5])
    writer.flush()
    (tmp_path / "tile/0/000.p/5").write_bytes(b"x")
    with pytest.raises(FolderDamagedError, match=r"tile/0/000\.p/5"):
        TileWriter(tmp_path, 5, 0, sync=False)
    (tmp_path / "tile/entries/000.p/5").unlink()
    with pytest.raises(FolderDamagedError, match="missing"):
        list(TileFolder(tmp_path).entries(5))
