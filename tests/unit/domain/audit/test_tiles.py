"""Tiles and bundles: the examples of the specification, and bytes that are neither."""

from __future__ import annotations

import pytest

from tamis.domain.audit.tiles import (
    TileId,
    decode_bundle,
    encode_bundle,
    index_path,
    split_tile,
    tile_at,
    tiles_of,
)


def test_names_of_tiles() -> None:
    assert index_path(1_234_067) == "x001/x234/067"
    assert (index_path(0), index_path(999), index_path(1000)) == ("000", "999", "x001/000")
    assert TileId(0, 273, 112).path == "tile/0/273.p/112"
    assert TileId(2, 1_234_067).path == "tile/2/x001/x234/067"
    assert TileId(0, 5, 3).entries_path == "tile/entries/005.p/3"


def test_the_tree_of_70_000_leaves_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    assert [tile for tile in tiles if tile.width < 256] == [TileId(0, 273, 112), TileId(1, 1, 17), TileId(2, 0, 1)]
    assert [sum(tile.level == level for tile in tiles) for level in range(4)] == [274, 2, 1, 0]
    assert list(tiles_of(256)) == [TileId(0, 0, 256), TileId(1, 0, 1)]
    assert list(tiles_of(0)) == []


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_536, 70_000])
@pytest.mark.parametrize("since", [0, 1, 255, 256, 300, 65_535])
def test_tiles_since_an_older_tree_are_those_it_does_not_have(size: int, since: int) -> None:
    if since <= size:
        old, new = set(tiles_of(since)), set(tiles_of(size))
        assert set(tiles_of(size, since)) == new - old
        assert len(list(tiles_of(size, since))) == len(new - old)


def test_there_is_no_tile_behind_the_tree() -> None:
    for level, index, size in ((0, 1, 256), (1, 0, 255), (0, -1, 5), (64, 0, 5)):
        with pytest.raises(ValueError, match="no tile"):
            tile_at(level, index, size)


def test_bundles_round_trip_and_damage_is_seen() -> None:
    entries = [b"", b"a", b"x" * 65_535]
    bundle = encode_bundle(entries)
    assert decode_bundle(bundle, 3) == entries
    for damaged, width in ((bundle[:-1], 3), (bundle + b"\0", 3), (bundle, 2), (bundle, 4), (b"\0", 0), (b"\0\2a", 1)):
        with pytest.raises(ValueError, match="bundle"):
            decode_bundle(damaged, width)
    with pytest.raises(ValueError, match="fit"):
        encode_bundle([b"x" * 65_536])


def test_a_tile_of_the_wrong_length_is_none() -> None:
    assert split_tile(bytes(64), 2) == [bytes(32), bytes(32)]
    with pytest.raises(ValueError, match="due"):
        split_tile(bytes(63), 2)
