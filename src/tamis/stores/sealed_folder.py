"""Reads a folder of sealed logs: ``<log>/p<partition>/e<epoch>`` in the layout of c2sp.org/tlog-tiles, and anchors.

Rules: nothing is written; a partial tile that is gone is read from a wider one, as the format allows; what is missing
or malformed is an error that names the file. Beside ``checkpoint``, the newest one the log signed, may stand
``checkpoint.witnessed``, the newest with a quorum of cosignatures. ``anchors/<n>.txt`` and ``<n>.tsr`` count from 1;
``bundles/<hash>.json`` holds rules and policy that leaves cite.
Not checked here: any signature or hash.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path

from tamis.domain.audit.anchor import StampedText
from tamis.domain.audit.checkpoint import Checkpoint, parse_checkpoint
from tamis.domain.audit.note import Note, NoteError, parse_note
from tamis.domain.audit.origin import LogOrigin, parse_origin
from tamis.domain.audit.proof import Node
from tamis.domain.audit.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    TileId,
    decode_bundle,
    split_tile,
    tile_at,
    tile_nodes,
)
from tamis.settings import SetupError
from tamis.stores.bounded_file import read_bounded

WITNESSED_PATH = "checkpoint.witnessed"
ANCHORS = "anchors"
BUNDLES = "bundles"
CONTROL = "audit.control"
_TILES_KEPT = 512
_BUNDLES_KEPT = 16


class SealedLog:
    """One log of the folder.

    Args:
        path: of the log's own folder.

    Raises:
        SetupError: it has no checkpoint, or one that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note, self.checkpoint = self._note(CHECKPOINT_PATH)
        self.origin: LogOrigin = _origin(path, self.checkpoint)
        self._tile = lru_cache(_TILES_KEPT)(self._read_tile)
        self._bundle = lru_cache(_BUNDLES_KEPT)(self._read_bundle)

    @property
    def size(self) -> int:
        """Leaves under the newest checkpoint."""
        return self.checkpoint.size

    @cached_property
    def witnessed(self) -> tuple[Note, Checkpoint] | None:
        """The newest checkpoint that had a quorum when it was published; None when there is none."""
        return self._note(WITNESSED_PATH) if (self.path / WITNESSED_PATH).exists() else None

    def node(self, size: int | None = None) -> Node:
        """Roots of perfect subtrees of the tree of ``size`` leaves, from its tiles."""
        return tile_nodes(self._tile, self.size if size is None else size)

    def entry(self, index: int) -> bytes:
        """The bytes of one leaf.

        Raises:
            IndexError: the log has no such leaf.
            SetupError: its bundle is missing or damaged.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"{self.origin} has {self.size} leaves, there is no leaf {index}")
        return self._bundle(index // TILE_WIDTH)[index % TILE_WIDTH]

    def bundles(self) -> Iterator[tuple[int, list[bytes]]]:
        """All leaves, up to 256 at a time, with the index of the first."""
        for number in range((self.size + TILE_WIDTH - 1) // TILE_WIDTH):
            yield number * TILE_WIDTH, self._read_bundle(number)

    def _note(self, name: str) -> tuple[Note, Checkpoint]:
        path = self.path / name
        try:
            note = parse_note(read_bounded(path))
            return note, parse_checkpoint(note.text)
        except FileNotFoundError:
            raise SetupError(f"{path} is missing") from None
        except NoteError as error:
            raise SetupError(f"{path}: {error}") from None

    def _read_tile(self, tile: TileId) -> bytes:
        value, width = self._read(tile, tile.path)
        return b"".join(_split(value, width, self.path / tile.path)[: tile.width])

    def _read_bundle(self, number: int) -> list[bytes]:
        tile = tile_at(0, number, self.size)
        value, width = self._read(tile, tile.entries_path)
        try:
            return decode_bundle(value, width)[: tile.width]
        except ValueError as error:
            raise SetupError(f"{self.path / tile.entries_path}: {error}") from None

    def _read(self, tile: TileId, name: str) -> tuple[bytes, int]:
        """A file and its width: the partial tile itself, else the full one, else a wider partial one."""
        exact = self.path / name
        if exact.is_file():
            return read_bounded(exact), tile.width
        full = self.path / name.partition(".p/")[0]
        if full.is_file():
            return read_bounded(full), TILE_WIDTH
        folder = full.with_name(f"{full.name}.p")
        wider = sorted(int(each.name) for each in folder.glob("*") if each.name.isdecimal()) if folder.is_dir() else []
        for width in wider:
            if width > tile.width:
                return read_bounded(folder / str(width)), width
        raise SetupError(f"{exact} is missing")


class SealedFolder:
    """All logs of an exported folder.

    Args:
        folder: of the export.

    Raises:
        SetupError: it holds no sealed log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        paths = sorted(path.parent for path in folder.glob(f"*/p*/e*/{CHECKPOINT_PATH}"))
        if not paths:
            raise SetupError(f"{folder} holds no sealed log: there is no <log>/p<n>/e<n>/{CHECKPOINT_PATH}")
        self.logs = sorted(map(SealedLog, paths), key=lambda log: log.origin)

    def log(self, origin: str) -> SealedLog | None:
        """The log of that name."""
        return next((log for log in self.logs if str(log.origin) == origin), None)

    def of_partition(self, partition: int) -> list[SealedLog]:
        """The logs of decisions about one source partition, newest epoch first."""
        return [log for log in reversed(self.logs) if log.origin.partition == partition and log.origin.log != CONTROL]

    def anchors(self) -> Iterator[tuple[int, StampedText]]:
        """Stored anchors in order.

        Raises:
            SetupError: one of a pair of files is missing, or a number is.
        """
        numbers = anchor_numbers(self.folder)
        for due, number in enumerate(numbers, 1):
            if number != due:
                raise SetupError(f"{anchor_path(self.folder, due)} is missing, but there is {number}.txt")
            yield number, read_anchor(self.folder, number)

    def bundle(self, digest: str) -> bytes | None:
        """Canonical source of the rules and policy with this hash, None when the folder lacks it."""
        path = self.folder / BUNDLES / f"{digest}.json"
        return read_bounded(path) if digest.isalnum() and path.is_file() else None


def anchor_path(folder: Path, number: int) -> Path:
    """Text of an anchor; its timestamp has the suffix ``.tsr``."""
    return folder / ANCHORS / f"{number}.txt"


def anchor_numbers(folder: Path) -> list[int]:
    """Numbers of the anchors in a folder, from the smallest."""
    return sorted(int(path.stem) for path in (folder / ANCHORS).glob("*.txt") if path.stem.isdecimal())


def read_anchor(folder: Path, number: int) -> StampedText:
    """One anchor and its timestamp.

    Raises:
        SetupError: a file is missing.
    """
    path = anchor_path(folder, number)
    try:
        return StampedText(read_bounded(path), read_bounded(path.with_suffix(".tsr")))
    except FileNotFoundError as error:
        raise SetupError(f"{error.filename} is missing") from None


def _origin(path: Path, checkpoint: Checkpoint) -> LogOrigin:
    try:
        origin = parse_origin(checkpoint.origin)
    except ValueError as error:
        raise SetupError(f"{path / CHECKPOINT_PATH}: {error}") from None
    if not path.as_posix().endswith(f"/{origin.folder}"):
        raise SetupError(f"{path / CHECKPOINT_PATH} is of {origin}, which belongs into {origin.folder}")
    return origin


def _split(value: bytes, width: int, path: Path) -> list[bytes]:
    try:
        return split_tile(value, width)
    except ValueError as error:
        raise SetupError(f"{path}: {error}") from None
