"""Seals one log: checks what is read, writes its tiles, and moves it on in the store before a checkpoint is signed.

Rules: every leaf hash is recomputed from stored bytes; a batch counts only with its head and the signature of a worker
key that ``audit.control`` knows, valid and not revoked; times of receipt are not ahead of the sealer's clock. Order of
a seal: tiles to disk, compare-and-swap, signature, checkpoint file, publication; after a crash anywhere the next start
repeats what was not finished, with the same bytes. A failed check ends the log; another log is not touched.
"""

from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec

from tamis.domain.audit.checkpoint import Checkpoint
from tamis.domain.audit.control import ControlState
from tamis.domain.audit.heads import Problem
from tamis.domain.audit.leaf import HEAD_HEADER, Head, base64_of, decode_head
from tamis.domain.audit.merkle import EMPTY_ROOT, Frontier, leaf_hashes
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.report import Check
from tamis.domain.audit.verify import CheckedState, LogVerifier
from tamis.ports import RawRecord
from tamis.stores.sealer_store import SealedState, SealerStore
from tamis.stores.tile_folder import TileWriter

MAX_OPEN_LEAVES = 1_000_000


class SealPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How strict sealing is.

    Attributes:
        topic: source topic that leaves must name.
        wall_time: times of records are wall time (``time_source = broker``); else only their order is judged.
        ahead_ms: how far times may be ahead of the sealer's clock.
        at_least_once: source offsets may repeat.
    """

    topic: str
    wall_time: bool = True
    ahead_ms: int = 300_000
    at_least_once: bool = False


class LogSealer:
    """One log in one epoch.

    Args:
        origin: of the log.
        root: folder of all logs.
        store: of the sealer.
        control: what ``audit.control`` says, kept up to date by the caller.
        policy: how strict.
        now: ms, the sealer's clock.
    """

    def __init__(
        self, origin: LogOrigin, root: Path, store: SealerStore, control: ControlState, policy: SealPolicy,
        now: Callable[[], int],
    ) -> None:  # fmt: skip
        self.origin, self.name = origin, str(origin)
        self._store, self._control, self._policy, self._now = store, control, policy, now
        known = store.log(self.name)
        fresh = SealedState(checked=CheckedState(origin=self.name, topic=policy.topic))
        self.size, self.root, self.state = known or (0, EMPTY_ROOT, fresh)
        self._sealed = self.size, self.root
        self.tiles = TileWriter(root / origin.folder, self.size, self.state.heads_end)
        self._verifier = LogVerifier(
            origin.partition, topic=policy.topic, at_least_once=policy.at_least_once, origin=self.name, key=self._key,
            checked=self._accept,
        )  # fmt: skip
        if known:
            self._verifier.resume(self.state.checked)
        self._dirty = False
        self._open = 0
        self._record: RawRecord | None = None

    @property
    def failure(self) -> tuple[str, str] | None:
        """Check and detail of what ended this log, None while all is well."""
        return (self.state.refused, self.state.detail) if self.state.refused else None

    def unknown_key(self, record: RawRecord) -> bool:
        """Whether a record is a head whose worker key is not registered (yet)."""
        if HEAD_HEADER not in record.headers:
            return False
        try:
            head = decode_head(record.value or b"")
        except msgspec.DecodeError:
            return False
        return bool(head.wk) and head.wk not in self._control.workers

    def feed(self, record: RawRecord) -> None:
        """Take the next record of the log."""
        self._record = record
        is_head = HEAD_HEADER in record.headers
        self._open = 0 if is_head else self._open + 1
        if self._open > MAX_OPEN_LEAVES:
            self.refuse(Check.TAIL, f"record {record.offset}: {self._open} leaves without a head")
            return
        self._verifier.feed(is_head, record.value or b"")
        failure = self._verifier.failure
        if failure is not None and not self.state.refused:
            self.refuse(failure.check, f"record {record.offset}: {failure.detail}")

    def refuse(self, check: Check, detail: str) -> None:
        """End this log: nothing after its last checkpoint is sealed."""
        self.state = msgspec.structs.replace(self.state, refused=check.value, detail=detail)
        self._dirty = True

    def start_at(self, position: int, topic_id: str) -> None:
        """Where reading begins, when nothing was read before."""
        self.state = msgspec.structs.replace(self.state, position=position, topic_id=topic_id)

    def seal(self) -> Checkpoint | None:
        """Bring what was accepted to disk and move the log on.

        Returns:
            The checkpoint to sign when the log grew, else None.

        Raises:
            SealConflictError: another sealer did so; nothing may be signed.
        """
        if not self._dirty:
            return None
        self.tiles.flush()
        old = self._sealed
        self.state = msgspec.structs.replace(self.state, heads_end=self.tiles.heads_end)
        self._store.swap(self.name, old, (self.size, self.root), self.state)
        self._sealed, self._dirty = (self.size, self.root), False
        return self.checkpoint if self.size > old[0] else None

    @property
    def checkpoint(self) -> Checkpoint:
        """The state in the store."""
        return Checkpoint(self.name, *self._sealed)

    def signed(self, note: bytes, old_size: int) -> None:
        """Keep the signed checkpoint beside the tiles."""
        self.tiles.checkpoint(note)
        self.tiles.forget_partials(old_size)

    def _accept(self, head: Head, value: bytes, leaves: list[bytes], digests: list[bytes]) -> None:
        record = self._record
        assert record is not None
        self.tiles.append(leaves, digests)
        self.tiles.head(head.n, value)
        self.size, self.root = head.n, b64decode(head.root)
        self.state = msgspec.structs.replace(
            self.state, checked=self._verifier.state, position=record.offset + 1, head_offset=record.offset,
            head_hash=sha256(value).hexdigest(),
        )  # fmt: skip
        self._dirty = True

    def _key(self, head: Head) -> bytes | Problem:
        policy, record = self._policy, self._record
        if policy.wall_time and head.received_at > self._now() + policy.ahead_ms:
            return Check.TIME, f"received at {head.received_at}, which has not come yet"
        written_at = record.timestamp if policy.wall_time and record is not None else None
        return self._control.worker_key(head, written_at, sealing=True)


class ControlSealer:
    """The control log: sequenced by the sealer itself.

    Args:
        base: the installation's origin.
        root: folder of all logs.
        store: of the sealer.
        name: topic of the control log, without prefix.
    """

    def __init__(self, base: str, root: Path, store: SealerStore, name: str) -> None:
        self.origin = LogOrigin(base, name, 0)
        self.name = str(self.origin)
        self._store = store
        known = store.log(self.name)
        self.size, self.root, self.state = known or (
            0,
            EMPTY_ROOT,
            SealedState(checked=CheckedState(origin=self.name, topic=None)),
        )
        self.tiles = TileWriter(root / self.origin.folder, self.size)
        self._tree = Frontier.from_peaks(self.size, [b64decode(peak) for peak in self.state.checked.peaks])

    def seal(self) -> tuple[Checkpoint, list[bytes]] | None:
        """Bring the leaves that the store holds behind the tree's end into tree and tiles.

        Returns:
            The checkpoint to sign and the new leaves; None when there are none.

        Raises:
            SealConflictError: another sealer did so.
        """
        leaves = self._store.control(self.size)
        if not leaves:
            return None
        digests = leaf_hashes(leaves)
        self._tree.extend(digests)
        self.tiles.append(leaves, digests)
        self.tiles.flush()
        old, new = (self.size, self.root), (self._tree.n, self._tree.root())
        checked = CheckedState(origin=self.name, topic=None, n=new[0], peaks=base64_of(self._tree.peaks))
        self.state = msgspec.structs.replace(self.state, checked=checked)
        self._store.swap(self.name, old, new, self.state)
        self.size, self.root = new
        return Checkpoint(self.name, *new), leaves

    @property
    def checkpoint(self) -> Checkpoint:
        """The state in the store."""
        return Checkpoint(self.name, self.size, self.root)
