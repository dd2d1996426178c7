"""Verifies a folder of sealed logs by itself: no Kafka, no settings, only what is in it and the keys one trusts.

Rules: the control log first, since it says which worker keys and epochs there are; then each log: its checkpoint's
signature, every leaf and head as ``domain.audit.verify`` checks them, worker signatures, all hash tiles, and that size
and root are the checkpoint's. The first failure of a log is named; every log is checked also when one fails. Without
keys, signatures of checkpoints are left out, and the report says that nothing was ``sealed``. All logs of a folder are
of one installation; a checkpoint that only a revoked sealing key signed does not count.
Not checked here: witnesses and anchors.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tamis.domain.audit.checkpoint import open_checkpoint
from tamis.domain.audit.control import ControlError, ControlState, decode_control, key_text
from tamis.domain.audit.leaf import Head
from tamis.domain.audit.merkle import Frontier, leaf_hashes
from tamis.domain.audit.note import NoteError, VerifierKey, require_signed
from tamis.domain.audit.report import Check, Failure, LogReport
from tamis.domain.audit.tiles import TILE_WIDTH, tile_at, tile_root
from tamis.domain.audit.trust import log_keys
from tamis.domain.audit.verify import LogVerifier
from tamis.services.audit_check import Progress
from tamis.services.sealer_config import LOGS
from tamis.settings import SetupError
from tamis.stores.sealed_folder import CONTROL, SealedFolder, SealedLog
from tamis.stores.tile_folder import FolderDamagedError, TileFolder


class TileCheck:
    """Compares the hash tiles of a log with the hashes of its leaves, as these come.

    Args:
        log: whose tiles.
    """

    def __init__(self, log: SealedLog) -> None:
        self._tiles, self._size = TileFolder(log.path), log.size
        self._levels: list[list[bytes]] = [[]]
        self._counts = [0]

    def add(self, digests: Sequence[bytes]) -> None:
        """The next leaf hashes.

        Raises:
            FolderDamagedError: a tile is missing or is not that of the leaves.
        """
        at = 0
        while at < len(digests):
            room = TILE_WIDTH - len(self._levels[0])
            self._levels[0] += digests[at : at + room]
            at += room
            if len(self._levels[0]) == TILE_WIDTH:
                self._full(0)

    def close(self) -> None:
        """Compare the partial tiles.

        Raises:
            FolderDamagedError: as ``add``.
        """
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._compare(level, hashes)

    def _full(self, level: int) -> None:
        hashes = self._levels[level]
        self._compare(level, hashes)
        self._levels[level] = []
        self._counts[level] += 1
        if level + 1 == len(self._levels):
            self._levels.append([])
            self._counts.append(0)
        self._levels[level + 1].append(tile_root(hashes))
        if len(self._levels[level + 1]) == TILE_WIDTH:
            self._full(level + 1)

    def _compare(self, level: int, hashes: list[bytes]) -> None:
        tile = tile_at(level, self._counts[level], self._size)
        if self._tiles.tile(tile) != b"".join(hashes):
            raise FolderDamagedError(f"{tile.path} is not that of the leaves")


def verify_sealed(
    folder: Path, keys: Sequence[VerifierKey] = (), progress: Progress | None = None, *, at_least_once: bool = False
) -> list[LogReport]:
    """Check every log of a folder.

    Args:
        folder: of the sealer, or an export.
        keys: trusted keys of the installation or of single logs.
        progress: called with the leaves read so far, now and then.
        at_least_once: count repeated source offsets instead of refusing them.

    Raises:
        SetupError: there is no sealed log.
    """
    logs = SealedFolder(folder).logs
    control = next((log for log in logs if log.origin.log == CONTROL), None)
    state = ControlState((control or logs[0]).origin.base)
    first = [] if control is None else [_control(control, state, keys)]
    ends = {str(log.origin): (log.size, b64encode(log.checkpoint.root).decode()) for log in logs}
    trust = _Trust(keys=keys, state=state, known=control is not None, at_least_once=at_least_once)
    return first + [_Run(log, trust, ends, progress).report() for log in logs if log is not control]


class _Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What logs are judged by: the keys brought along and, where it is ``known``, what the control log says."""

    keys: Sequence[VerifierKey]
    state: ControlState
    known: bool
    at_least_once: bool


def _signature(log: SealedLog, keys: Sequence[VerifierKey], state: ControlState) -> Failure | None:
    """The checkpoint is one of this installation, signed by a given key that it has not revoked itself."""
    if log.origin.base != state.base:
        return _failure(Check.SOURCE, 0, log.size, f"a log of {log.origin.base} among those of {state.base}")
    if not keys:
        return None
    trusted = log_keys(keys, str(log.origin))
    try:
        open_checkpoint(log.note.encode(), trusted)
        signed = require_signed(log.note, trusted)
    except NoteError as error:
        return _failure(Check.SIGNATURE, 0, log.size, str(error))
    if all(key_text(key.public) in state.revoked_sealers for key in signed):
        return _failure(Check.SIGNATURE, 0, log.size, "signed only by a key that audit.control says is revoked")
    return None


def _failure(check: Check, leaf: int, until: int, detail: str) -> Failure:
    return Failure(check=check, record=leaf, leaf=leaf, until=until, detail=detail)


class _Run:
    """One pass over one log."""

    def __init__(
        self, log: SealedLog, trust: _Trust, ends: dict[str, tuple[int, str]], progress: Progress | None
    ) -> None:
        self._log, self._trust, self._ends, self._progress = log, trust, ends, progress
        self._control = trust.state if trust.known else None
        self._tiles = TileCheck(log)
        self._verifier = LogVerifier(
            log.origin.partition, topic=LOGS.get(log.origin.log), origin=str(log.origin), sizes={log.size},
            key=self._control.worker_key if self._control else None, checked=self._checked,
            at_least_once=trust.at_least_once,
        )  # fmt: skip

    def report(self) -> LogReport:
        failure = _signature(self._log, self._trust.keys, self._trust.state) or self._epoch()
        try:
            self._read()
        except (FolderDamagedError, SetupError) as error:
            failure = failure or _failure(Check.TILES, self._verifier.state.n, self._log.size, str(error))
        report = self._verifier.report()
        root = b64encode(self._log.checkpoint.root).decode()
        failure = failure or report.failure
        if failure is None and self._verifier.roots.get(self._log.size) != root:
            failure = _failure(Check.CHECKPOINT, 0, self._log.size, "the leaves do not give the checkpoint's root")
        sealed = self._log.size if self._trust.keys and failure is None else None
        return msgspec.structs.replace(report, failure=failure, sealed=sealed, log=str(self._log.origin))

    def _read(self) -> None:
        feed, heads, index = self._verifier.feed_leaves, TileFolder(self._log.path).heads(), 0
        head = next(heads, None)
        for _, entries in self._log.bundles():
            start, end = index, index + len(entries)
            while head is not None and head[0] <= end:
                feed(entries[index - start : head[0] - start])
                index = max(index, head[0])
                self._verifier.feed(True, head[1])
                head = next(heads, None)
            feed(entries[index - start :])
            index = end
            if self._progress is not None:
                self._progress(end)
        self._verifier.feed_leaves(())
        if self._verifier.failure is None:
            self._tiles.close()

    def _checked(self, head: Head, value: bytes, leaves: list[bytes], digests: list[bytes]) -> None:
        del head, value, leaves
        self._tiles.add(digests)

    def _epoch(self) -> Failure | None:
        """A later epoch was opened in the control log, and cites the end of the one before."""
        origin = self._log.origin
        if origin.epoch == 1 or (self._control is None and not self._trust.keys):
            return None
        opening = self._trust.state.openings.get((origin.log, origin.partition))
        if opening is None or opening.origin.epoch < origin.epoch:
            return _failure(Check.EPOCH, 0, self._log.size, "audit.control never opened this epoch")
        if opening.origin.epoch == origin.epoch:
            end = self._ends.get(opening.previous.log)
            if end is not None and end != (opening.previous.size, opening.previous.root):
                return _failure(Check.EPOCH, 0, 1, f"{opening.previous.log} does not end where this epoch says")
        return None


def _control(log: SealedLog, state: ControlState, keys: Sequence[VerifierKey]) -> LogReport:
    """Fold the control log into ``state``."""
    tree, tiles, n, failure = Frontier(), TileCheck(log), 0, None
    try:
        for _, entries in log.bundles():
            for entry in entries:
                state.add(decode_control(entry))
                n += 1
            digests = leaf_hashes(entries)
            tree.extend(digests)
            tiles.add(digests)
        tiles.close()
    except (FolderDamagedError, SetupError) as error:
        failure = failure or _failure(Check.TILES, n, log.size, str(error))
    except ControlError as error:
        failure = failure or _failure(Check.SEQUENCE, n, n + 1, str(error))
    except (ValueError, RecursionError):
        failure = failure or _failure(Check.SHAPE, n, n + 1, "not a leaf of the control log")
    failure = _signature(log, keys, state) or failure
    if failure is None and tree.root() != log.checkpoint.root:
        failure = _failure(Check.CHECKPOINT, 0, log.size, "the leaves do not give the checkpoint's root")
    return LogReport(
        log=str(log.origin), partition=0, leaves=n, heads=0, verified=n if failure is None else 0, begins=0,
        outcomes={}, root=b64encode(tree.root()).decode(), first=0, next=0, lost=0, repeats=0, tail=0, notices=n,
        sealed=log.size if keys and failure is None else None, failure=failure,
    )  # fmt: skip
