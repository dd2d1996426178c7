"""One log as a folder that any tlog-tiles client reads: ``checkpoint``, ``tile/<L>/<N>``, ``tile/entries/<N>``.

Rules: every file is written beside its place, brought to disk and renamed; a full tile never changes, one that would is
a fault; partial tiles of the last checkpoint stay until they are full. ``heads`` holds the batch heads, one a line
behind the number of leaves before it: they are what the tree does not hold. The checkpoint is written last.
Not here: what may be appended, and when (``services.log_sealer``).
"""

import contextlib
import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tamis.domain.audit.merkle import HASH_BYTES
from tamis.domain.audit.tiles import (
    CHECKPOINT_PATH,
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TileId,
    decode_bundle,
    encode_bundle,
    split_tile,
    tile_at,
    tile_nodes,
    tile_root,
    tiles_of,
)
from tamis.stores.bounded_file import lines_bounded, read_bounded

HEADS = "heads"
_ENCODED = b"b64:"


class FolderDamagedError(Exception):
    """A file of the folder is missing, of the wrong length, or would change; the message names it."""


class TileWriter:
    """Appends to one log's folder; make it with ``open_tiles``.

    Args:
        folder: of the log.
        size: leaves it holds.
        heads_end: bytes of ``heads`` that count.
        sync: bring files to disk before they are renamed; off for copies that can be made again.
    """

    def __init__(self, folder: Path, size: int = 0, heads_end: int = 0, *, sync: bool = True) -> None:
        self.folder, self.size, self.heads_end = folder, size, heads_end
        self._sync = sync
        self._made: set[Path] = set()
        self._levels: list[list[bytes]] = []
        self._counts: list[int] = []
        self._entries: list[bytes] = []
        self._heads: list[bytes] = []
        self._resume()

    def _resume(self) -> None:
        reader = TileFolder(self.folder)
        level = 0
        while self.size >> (8 * level):
            index, width = divmod(self.size >> (8 * level), TILE_WIDTH)
            self._counts.append(index)
            self._levels.append(split_tile(reader.tile(TileId(level, index, width)), width) if width else [])
            level += 1
        if not self._levels:
            self._levels, self._counts = [[]], [0]
        if self._levels[0]:
            self._entries = reader.bundle(TileId(0, self._counts[0], len(self._levels[0])))
        path = self.folder / HEADS
        if path.exists() and path.stat().st_size > self.heads_end:
            os.truncate(path, self.heads_end)

    def append(self, entries: Sequence[bytes], digests: Sequence[bytes]) -> None:
        """Add leaves and their hashes; full tiles are written at once."""
        at, count = 0, len(entries)
        while at < count:
            room = TILE_WIDTH - len(self._levels[0])
            self._entries += [entry[:MAX_ENTRY_BYTES] for entry in entries[at : at + room]]
            self._levels[0] += digests[at : at + room]
            at += room
            if len(self._levels[0]) == TILE_WIDTH:
                self._write(TileId(0, self._counts[0]).entries_path, encode_bundle(self._entries), final=True)
                self._entries = []
                self._full(0)
        self.size += count

    def head(self, leaves_before: int, value: bytes) -> None:
        """Add a batch head."""
        plain = _ENCODED + b64encode(value) if b"\n" in value or value.startswith(_ENCODED) else value
        self._heads.append(b"%d %s\n" % (leaves_before, plain))

    def flush(self) -> None:
        """Write what is not in full tiles, and the heads; afterwards everything appended is on disk."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._write(TileId(level, self._counts[level], len(hashes)).path, b"".join(hashes))
        if self._entries:
            partial = TileId(0, self._counts[0], len(self._entries))
            self._write(partial.entries_path, encode_bundle(self._entries))
        if self._heads:
            lines = b"".join(self._heads)
            self._heads = []
            self._directory(self.folder)
            with (self.folder / HEADS).open("ab") as file:
                file.write(lines)
                file.flush()
                if self._sync:
                    os.fdatasync(file.fileno())
            self.heads_end += len(lines)

    def checkpoint(self, note: bytes) -> None:
        """Replace the checkpoint; call it after ``flush``."""
        self._write(CHECKPOINT_PATH, note)

    def forget_partials(self, size: int) -> None:
        """Remove the partial tiles of an older tree that are no longer partial."""
        for tile in tiles_of(size):
            if tile.width < TILE_WIDTH and tile_at(tile.level, tile.index, self.size).width == TILE_WIDTH:
                paths = [tile.path, *([tile.entries_path] if tile.level == 0 else [])]
                for path in paths:
                    (self.folder / path).unlink(missing_ok=True)
                    with contextlib.suppress(OSError):  # another partial tile is still there
                        (self.folder / path).parent.rmdir()

    def _full(self, level: int) -> None:
        hashes = self._levels[level]
        self._write(TileId(level, self._counts[level]).path, b"".join(hashes), final=True)
        self._levels[level] = []
        self._counts[level] += 1
        if len(self._levels) == level + 1:
            self._levels.append([])
            self._counts.append(0)
        self._levels[level + 1].append(tile_root(hashes))
        if len(self._levels[level + 1]) == TILE_WIDTH:
            self._full(level + 1)

    def _write(self, name: str, value: bytes, *, final: bool = False) -> None:
        path = self.folder / name
        if final and path.exists():
            if path.read_bytes() != value:
                raise FolderDamagedError(f"{path}: a full tile would change")
            return
        self._directory(path.parent)
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with draft.open("wb") as file:
            file.write(value)
            if self._sync:
                file.flush()
                os.fdatasync(file.fileno())
        draft.replace(path)

    def _directory(self, path: Path) -> None:
        if path not in self._made:
            path.mkdir(parents=True, exist_ok=True)
            self._made.add(path)


class TileFolder:
    """Reads one log's folder.

    Args:
        folder: of the log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self) -> bytes | None:
        """The signed checkpoint, None when the log was never sealed."""
        path = self.folder / CHECKPOINT_PATH
        return path.read_bytes() if path.is_file() else None

    def tile(self, tile: TileId) -> bytes:
        """The hashes of a tile; a partial one may be cut out of the full one that replaced it.

        Raises:
            FolderDamagedError: it is missing or has another length.
        """
        value = self._read(tile.path, TileId(tile.level, tile.index).path)[: tile.width * HASH_BYTES]
        if len(value) != tile.width * HASH_BYTES:
            raise FolderDamagedError(f"{self.folder / tile.path}: {len(value)} bytes")
        return value

    def bundle(self, tile: TileId) -> list[bytes]:
        """The entries under a tile of level 0.

        Raises:
            FolderDamagedError: the bundle is missing or holds other numbers of entries.
        """
        value = self._read(tile.entries_path, TileId(0, tile.index).entries_path)
        for width in {tile.width, TILE_WIDTH}:
            with contextlib.suppress(ValueError):
                return decode_bundle(value, width)[: tile.width]
        raise FolderDamagedError(f"{self.folder / tile.entries_path}: not {tile.width} whole entries")

    def entries(self, size: int) -> Iterator[list[bytes]]:
        """All entries of a tree of ``size`` leaves, bundle by bundle."""
        for tile in tiles_of(size):
            if tile.level:
                return
            yield self.bundle(tile)

    def entry(self, index: int, size: int) -> bytes:
        """One entry of a tree of ``size`` leaves."""
        return self.bundle(tile_at(0, index // TILE_WIDTH, size))[index % TILE_WIDTH]

    def nodes(self, size: int) -> Callable[[int, int], bytes]:
        """Roots of perfect subtrees, for ``domain.audit.proof``; tiles are read once."""
        known: dict[TileId, bytes] = {}

        def read(tile: TileId) -> bytes:
            if tile not in known:
                known[tile] = self.tile(tile)
            return known[tile]

        return tile_nodes(read, size)

    def heads(self) -> Iterator[tuple[int, bytes]]:
        """The batch heads: (leaves before it, value).

        Raises:
            FolderDamagedError: a line is not of this form.
        """
        path = self.folder / HEADS
        if not path.is_file():
            return
        with path.open("rb") as file:
            for number, line in enumerate(lines_bounded(file), 1):
                count, _, value = line.removesuffix(b"\n").partition(b" ")
                try:
                    plain = b64decode(value[len(_ENCODED) :], validate=True) if value.startswith(_ENCODED) else value
                    yield int(count), plain
                except (ValueError, Base64Error):
                    raise FolderDamagedError(f"{path}: line {number} is no head") from None

    def _read(self, *names: str) -> bytes:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                return read_bounded(self.folder / name)
        raise FolderDamagedError(f"{self.folder / names[0]} is missing")
