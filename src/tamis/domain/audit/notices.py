"""Leaves that stand for no event: input that was lost, and the beginning of a log's next epoch.

Rules: the same frame as any leaf (ASCII JSON, sorted keys, ``seq``, ``src``, ``ts``, ``v``), told apart by ``kind``;
words come from closed vocabularies. A gap leaf covers source offsets that retention deleted before they were read, and
is therefore under the tree and its signatures. An epoch leaf is leaf 0 of every epoch but the first and cites the state
in which the log before it ended. Neither counts as an event.
"""

from enum import StrEnum

import msgspec

from tamis.domain.audit.leaf import LEAF_VERSION
from tamis.domain.audit.origin import LogOrigin

GAP, EPOCH = "gap", "epoch"
_EPOCH_START = b'{"epoch":'
_encode = msgspec.json.Encoder(order="sorted").encode


class EpochReason(StrEnum):
    """Why a log goes on in a new epoch."""

    TAIL_LOST = "tail-lost"
    """The end of the log is gone: retention, an unclean election, deleted records."""
    RESTORED = "restored"
    """The broker holds an older state than it once had."""
    OFFSETS_RESET = "offsets-reset"
    """The consumer group's offset was set by hand."""
    RECREATED = "recreated"
    """A topic was deleted and made anew."""
    SEALER_BEHIND = "sealer-behind"
    """Leaves were gone before the sealer had read them."""
    DAMAGED = "damaged"
    """The log fails a check."""
    SCHEDULED = "scheduled"
    """A new epoch by plan, e.g. with the year, so that old entries can expire whole."""


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The state in which the log before an epoch ended.

    Attributes:
        log: its origin.
        root: base64; of no leaves when it was never sealed.
        size: leaves.
    """

    log: str
    root: str
    size: int


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to begin an epoch, as sequenced in ``audit.control``.

    Attributes:
        origin: of the new epoch.
        previous: what it follows.
        reason: one word.
    """

    origin: LogOrigin
    previous: Previous
    reason: EpochReason


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier reads of such a leaf.

    Attributes:
        kind: "gap" or "epoch".
        lost: of a gap, ``[from, to)``.
        log: of an epoch, its origin.
        prev: of an epoch.
    """

    kind: str
    seq: int
    lost: tuple[int, int] | None = None
    log: str = ""
    prev: Previous | None = None


decode_notice = msgspec.json.Decoder(Notice).decode


def gap_leaf(seq: int, lost: tuple[int, int], topic: str, partition: int, received_at: int) -> bytes:
    """The leaf of source offsets ``[from, to)`` that nobody read; its position is the last of them."""
    source = {"i": 0, "o": lost[1] - 1, "p": partition, "t": topic}
    return _encode({"kind": GAP, "lost": lost, "seq": seq, "src": source, "ts": received_at, "v": LEAF_VERSION})


def epoch_leaf(opening: Opening, next_: int, topic: str, partition: int, received_at: int) -> bytes:
    """Leaf 0 of an epoch; ``next_`` is the source offset from which it decides."""
    source = {"i": 0, "o": next_, "p": partition, "t": topic}
    body = {
        "epoch": opening.origin.epoch, "kind": EPOCH, "log": str(opening.origin), "prev": opening.previous,
        "reason": opening.reason, "seq": 0, "src": source, "ts": received_at, "v": LEAF_VERSION,
    }  # fmt: skip
    return _encode(body)


def begins_epoch(value: bytes) -> bool:
    """Whether a record value looks like an epoch leaf; cheap, no check of the rest."""
    return value.startswith(_EPOCH_START)
