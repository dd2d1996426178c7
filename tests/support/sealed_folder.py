"""Folders of sealed logs as the sealer leaves them: tiles, checkpoints, anchors, bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.domain.audit.anchor import StampedText, next_anchor
from tamis.domain.audit.merkle import leaf_hash
from tamis.domain.audit.origin import parse_origin
from tamis.domain.audit.proof import stored_nodes
from tamis.domain.audit.tiles import TILE_HEIGHT, TILE_WIDTH, encode_bundle, tiles_of
from tamis.domain.audit.timestamp import stamp_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tamis.domain.audit.cosignature import Cosigner
    from tamis.domain.audit.note import Note
    from tests.support.sealed import SealedLog
    from tests.support.tsa import Authority


def write_log(
    folder: Path, log: SealedLog, *, cosigners: Sequence[Cosigner] = (), witnessed: int | None = None
) -> Path:
    """Write a log; with cosigners also a witnessed checkpoint, of the whole log or the size given."""
    place = folder / parse_origin(log.origin).folder
    node = stored_nodes([leaf_hash(leaf) for leaf in log.leaves])
    for tile in tiles_of(len(log.leaves)):
        first = tile.index * TILE_WIDTH
        hashes = [node(TILE_HEIGHT * tile.level, first + n) for n in range(tile.width)]
        _put(place / tile.path, b"".join(hashes))
        if tile.level == 0:
            _put(place / tile.entries_path, encode_bundle(log.leaves[first : first + tile.width]))
    whole = witnessed in {None, len(log.leaves)}
    _put(place / "checkpoint", log.note(cosigners=cosigners if whole else ()).encode())
    if cosigners:
        _put(place / "checkpoint.witnessed", log.note(witnessed, cosigners=cosigners).encode())
    return place


def write_anchors(folder: Path, authority: Authority, rounds: Iterable[Iterable[Note]]) -> None:
    """Write a chain of anchors, each over the checkpoints of one round."""
    before = None
    for number, notes in enumerate(rounds, 1):
        text = next_anchor(before, notes).encode()
        before = StampedText(text, authority.reply(stamp_request(text).body))
        _put(folder / f"anchors/{number}.txt", before.text)
        _put(folder / f"anchors/{number}.tsr", before.stamp)


def _put(path: Path, value: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value)
