"""Merkle trees as tiles, entries as bundles: names and bytes of c2sp.org/tlog-tiles.

Rules: a tile holds up to 256 hashes; on level l, hash i of tile n is the root of the 256^l leaves from
``(256 n + i) 256^l``; only the last tile of a level is partial and its width is in its name; a bundle is the entries
of a level-0 tile, each behind its length as two bytes, big endian. Not here: files, hashing of entries.
"""

import struct
from collections.abc import Callable, Iterable, Iterator

import msgspec

from tamis.domain.audit.merkle import HASH_BYTES, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_ENTRY_BYTES = (1 << 16) - 1
MAX_LEVEL = 63
CHECKPOINT_PATH = "checkpoint"

_LENGTH = struct.Struct(">H")


class TileId(msgspec.Struct, frozen=True, order=True):
    """One tile, or bundle, of a tree.

    Attributes:
        level: 0 to 63.
        index: within the level.
        width: hashes in it, 1 to 256; 256 is a full tile.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]``."""
        return f"tile/{self.level}/{self._place}"

    @property
    def entries_path(self) -> str:
        """``tile/entries/<N>[.p/<W>]``, for a tile of level 0."""
        return f"tile/entries/{self._place}"

    @property
    def _place(self) -> str:
        return index_path(self.index) + (f".p/{self.width}" if self.width < TILE_WIDTH else "")


def index_path(index: int) -> str:
    """A tile's index as path elements of three digits, all but the last with a leading x: ``x001/x234/067``."""
    path, index = f"{index % 1000:03d}", index // 1000
    while index:
        path, index = f"x{index % 1000:03d}/{path}", index // 1000
    return path


def tile_at(level: int, index: int, size: int) -> TileId:
    """The tile ``index`` of ``level`` as it stands in a tree of ``size`` leaves.

    Raises:
        ValueError: that tree has no such tile.
    """
    width = min((size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH, TILE_WIDTH)
    if width <= 0 or index < 0 or not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"a tree of {size} leaves has no tile {level}/{index}")
    return TileId(level, index, width)


def tiles_of(size: int, since: int = 0) -> Iterator[TileId]:
    """All tiles of a tree of ``size`` leaves that its tree of ``since`` leaves does not have, level by level."""
    level = 0
    while size >> (TILE_HEIGHT * level):
        hashes, known = size >> (TILE_HEIGHT * level), since >> (TILE_HEIGHT * level)
        for index in range(known // TILE_WIDTH, (hashes + TILE_WIDTH - 1) // TILE_WIDTH):
            if hashes > known:
                yield tile_at(level, index, size)
        level += 1


def split_tile(value: bytes, width: int) -> list[bytes]:
    """The hashes of a tile.

    Raises:
        ValueError: it does not hold exactly ``width`` of them.
    """
    if len(value) != width * HASH_BYTES:
        raise ValueError(f"a tile of {len(value)} bytes where {width * HASH_BYTES} are due")
    return [value[at : at + HASH_BYTES] for at in range(0, len(value), HASH_BYTES)]


def tile_root(hashes: list[bytes]) -> bytes:
    """The root of a full tile: one hash of the level above."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle.

    Raises:
        ValueError: an entry is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes, at most {MAX_ENTRY_BYTES} fit")
        parts += (_LENGTH.pack(len(entry)), entry)
    return b"".join(parts)


def decode_bundle(value: bytes, width: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        ValueError: it does not hold exactly ``width`` whole entries.
    """
    entries: list[bytes] = []
    at, end, length_at = 0, len(value), _LENGTH.unpack_from
    while at + 2 <= end:
        start = at + 2
        at = start + length_at(value, at)[0]
        entries.append(value[start:at])
    if at != end or len(entries) != width:
        raise ValueError(f"a bundle of {len(entries)} entries that does not hold {width} whole ones")
    return entries


def tile_nodes(read: Callable[[TileId], bytes], size: int) -> Callable[[int, int], bytes]:
    """The roots of perfect subtrees from a tree's tiles, as ``proof`` asks for them.

    Args:
        read: bytes of a tile; what it raises goes through. Called once a hash: keep tiles at hand there.
        size: of the tree whose tiles are read; partial tiles are those of this size.

    Returns:
        A function of (level, index) -> root of the leaves ``[index << level, (index + 1) << level)``.
    """

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile = tile_at(tile_level, first >> TILE_HEIGHT, size)
        hashes = split_tile(read(tile), tile.width)
        within = first & (TILE_WIDTH - 1)
        if within + (1 << height) > tile.width:
            raise ValueError(f"a tree of {size} leaves has no whole subtree {level}/{index}")
        return tile_root(hashes[within : within + (1 << height)])

    return node
