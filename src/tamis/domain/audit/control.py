"""The control log: what the sealer sequenced, as leaves of a log of its own, and the state that follows from them.

Rules: a leaf is a request or a word of the sealer itself, with ``seq``, the sealer's clock ``sealed_at`` (ms, never
going back) and the log's origin; worker keys are known from the leaf that registered them on; revocation is final; an
epoch follows the one before by one. Folding the leaves from 0 gives everything a verifier must believe about keys.
"""

from base64 import b64decode, b64encode

import msgspec

from tamis.domain.audit.leaf import Head
from tamis.domain.audit.note import ed25519_holds
from tamis.domain.audit.notices import EpochReason, Opening, Previous
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.report import Check
from tamis.domain.audit.requests import (
    EpochOpened,
    ErasureReceipt,
    PolicyBundle,
    QuarantineLook,
    WorkerKey,
    WorkerKeyRevoked,
)

CONTROL_VERSION = 1
SKEW_MS = 300_000
"""How far clocks of workers and sealer may differ."""


class SealerKey(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="sealer-key"):
    """A sealing key, valid ``[not_before, not_after)`` in ms.

    Attributes:
        epoch: its name, e.g. "2026".
        key: base64 of 32 bytes.
        by: the key that was there before, base64; "" for the first.
        sig: the new key's signature of ``sealer_key_message``.
        sig_by: the old key's signature of the same, "" for the first.
    """

    at: int
    by: str
    epoch: str
    key: str
    not_after: int
    not_before: int
    sig: str
    sig_by: str


class SealerKeyRevoked(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="sealer-key-revoked"):
    """Signatures of this key count only where they were anchored before."""

    at: int
    epoch: str
    key: str


class Incident(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="incident"):
    """The sealer refused to go on with a log, at this size, because this check failed."""

    at: int
    check: Check
    log: str
    size: int


Entry = (
    WorkerKey | WorkerKeyRevoked | EpochOpened | QuarantineLook | ErasureReceipt | PolicyBundle
    | SealerKey | SealerKeyRevoked | Incident
)  # fmt: skip


class ControlLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf of ``audit.control``.

    Attributes:
        entry: what it says.
        log: origin of the control log.
        prev: for an epoch: the state in which the log before ended, as the sealer knows it.
        sealed_at: ms.
        seq: index in the tree.
    """

    entry: Entry
    log: str
    sealed_at: int
    seq: int
    prev: Previous | None = None
    v: int = CONTROL_VERSION


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(ControlLeaf).decode


def encode_control(leaf: ControlLeaf) -> bytes:
    """JSON with sorted keys."""
    return _encode(leaf)


def decode_control(value: bytes) -> ControlLeaf:
    """The leaf in a record value.

    Raises:
        ValueError: it is none of a known version.
    """
    leaf = _decode(value)
    if leaf.v != CONTROL_VERSION:
        raise ValueError("a control leaf of another version")
    return leaf


def sealer_key_message(base: str, key: SealerKey) -> bytes:
    """What both the new and the old sealing key sign for a rotation; ``base`` is the installation's origin."""
    return (
        f"audit-sealer-key/v1\n{base}\n{key.epoch}\n{key.by}\n{key.key}\n{key.not_before}\n{key.not_after}\n"
    ).encode()


class ControlError(ValueError):
    """A control leaf that must not stand where it stands."""


class ControlState:
    """What the control log says so far; feed it every leaf in order.

    Attributes:
        base: the installation's origin.
        size: leaves so far.
        clock: ``sealed_at`` of the last, ms.
        workers: worker keys by id.
        revoked: ids of revoked worker keys, with the clock of their revocation, ms.
        sealers: sealing keys in order.
        openings: (log, partition) -> latest opening.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.size = self.clock = 0
        self.workers: dict[str, WorkerKey] = {}
        self.revoked: dict[str, int] = {}
        self.sealers: list[SealerKey] = []
        self.revoked_sealers: dict[str, int] = {}
        self.openings: dict[tuple[str, int], Opening] = {}

    def add(self, leaf: ControlLeaf) -> None:
        """Take the next leaf.

        Raises:
            ControlError: index, time, signature or epoch is not what must come next.
        """
        if leaf.seq != self.size or leaf.sealed_at < self.clock or not leaf.log.startswith(f"{self.base}/"):
            raise ControlError(f"control leaf {leaf.seq} where {self.size} is due, or back-dated, or of another log")
        entry = leaf.entry
        if isinstance(entry, SealerKey):
            self._rotate(entry)
        elif isinstance(entry, SealerKeyRevoked):
            self.revoked_sealers.setdefault(entry.key, leaf.sealed_at)
        elif isinstance(entry, WorkerKey):
            self.workers.setdefault(entry.id, entry)
        elif isinstance(entry, WorkerKeyRevoked):
            self.revoked.setdefault(entry.id, leaf.sealed_at)
        elif isinstance(entry, EpochOpened):
            self._open(entry, leaf.prev)
        self.size, self.clock = leaf.seq + 1, leaf.sealed_at

    def epoch(self, log: str, partition: int) -> int:
        """The epoch a log is in."""
        opening = self.openings.get((log, partition))
        return opening.origin.epoch if opening else 1

    def worker_key(
        self, head: Head, written_at: int | None = None, *, sealing: bool = False
    ) -> bytes | tuple[Check, str]:
        """The key that may have signed a head, or why there is none.

        Args:
            head: the head.
            written_at: ms, where it is known by a clock that is not the events' own.
            sealing: the head is not sealed yet; revoked keys do not count any more.
        """
        key = self.workers.get(head.wk)
        if key is None:
            why = "its worker key was never registered" if head.wk else "no worker signed it"
            return Check.ATTESTATION, why
        if written_at is not None and not key.not_before - SKEW_MS <= written_at < key.not_after + SKEW_MS:
            return Check.ATTESTATION, f"worker key {key.id} was not valid when it was written"
        if sealing and key.id in self.revoked:
            return Check.ATTESTATION, f"worker key {key.id} is revoked"
        return b64decode(key.key)

    def _rotate(self, entry: SealerKey) -> None:
        message = sealer_key_message(self.base, entry)
        signed = ed25519_holds(b64decode(entry.key), b64decode(entry.sig), message)
        before = [key.key for key in self.sealers]
        if before:
            by = entry.by in before and ed25519_holds(b64decode(entry.by), b64decode(entry.sig_by), message)
            signed = signed and by and entry.by not in self.revoked_sealers
        if not signed or entry.key in before:
            raise ControlError(f"sealing key {entry.epoch} is not signed by itself and by one before it")
        self.sealers.append(entry)

    def _open(self, entry: EpochOpened, previous: Previous | None) -> None:
        if entry.epoch != self.epoch(entry.log, entry.partition) + 1 or previous is None:
            raise ControlError(f"epoch {entry.epoch} of {entry.log}/{entry.partition} does not follow the one before")
        origin = LogOrigin(self.base, entry.log, entry.partition, entry.epoch)
        self.openings[entry.log, entry.partition] = Opening(
            origin=origin, previous=previous, reason=EpochReason(entry.reason)
        )


def key_text(public: bytes) -> str:
    """A public key as it stands in leaves."""
    return b64encode(public).decode()
