"""What a check of one audit log found: totals, and the first thing that is wrong, by name.

Rules: the checks are a closed set, each named after what it compares; a report holds at most the first failure, because
after it the position in the tree is no longer known. Not here: the checking itself (``verify``).
"""

from enum import StrEnum

import msgspec


class Check(StrEnum):
    """Each thing that must hold for a log, one name each."""

    SHAPE = "shape"
    """The value is a leaf or head of a known version, ASCII, within the size limit."""
    BEGINNING = "beginning"
    """The log begins with leaf 0."""
    SEQUENCE = "sequence"
    """A leaf's ``seq`` is its index in the tree."""
    SOURCE = "source"
    """Leaves and heads name this log's source topic and partition."""
    REPEAT = "repeat"
    """No leaf stands for a source offset that an earlier head already covers."""
    ORDER = "order"
    """Source positions increase; the events of a record are numbered from 0 without a hole."""
    CLOCK = "clock"
    """Times of receipt never go back, and none is later than its head's."""
    SIZE = "size"
    """A head begins where the one before ended and covers every leaf up to it."""
    ROOT = "root"
    """The tree over the stored bytes has the head's root."""
    PEAKS = "peaks"
    """The tree's compact range is the head's."""
    COUNTS = "counts"
    """The head's counts by outcome are those of its leaves."""
    WINDOW = "window"
    """The head's leaves lie within its source offsets ``[first, next)``."""
    OFFSETS = "offsets"
    """A head's source offsets go on where the ones before ended; what was lost is declared."""
    GAP = "gap"
    """Lost input is declared by a head and by a gap leaf alike."""
    ATTESTATION = "attestation"
    """A head is signed by a worker key that was registered, unexpired and not revoked."""
    TIME = "time"
    """A time of receipt is not ahead of the sealer's clock."""
    TAIL = "tail"
    """No leaf follows the last head."""
    EPOCH = "epoch"
    """A log's next epoch was opened in ``audit.control`` and cites the end of the one before."""
    TOPIC = "topic"
    """The topic still holds what was sealed: the last head read stands where it stood."""
    SIGNATURE = "signature"
    """The checkpoint is a note that a trusted key of the log signed."""
    CHECKPOINT = "checkpoint"
    """Size and root of the checkpoint are those of the leaves."""
    TILES = "tiles"
    """The hash tiles are those of the entries."""
    WITNESS = "witness"
    """No witness has seen another history of the log."""
    ANCHOR = "anchor"
    """Anchors follow each other, are stamped, and the log still holds what was anchored."""
    MANIFEST = "manifest"
    """The exported file is as long, and ends in the root, that the export's manifest states."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that is wrong.

    Attributes:
        check: which check fired.
        record: ordinal of the record in the log, leaves and heads together, from 0.
        leaf: index of the first leaf that may be at fault.
        until: index after the last leaf that may be at fault (a root covers a whole batch).
        detail: what was expected and found; positions and numbers only.
    """

    check: Check
    record: int
    leaf: int
    until: int
    detail: str


class LogReport(msgspec.Struct, frozen=True, kw_only=True):
    """One log, checked.

    Attributes:
        log: its origin; "" for a log without a head.
        partition: partition of the log.
        leaves: leaves read; heads: heads read.
        notices: of these leaves, gap and epoch leaves, which stand for no event.
        attested: heads whose worker's signature was checked.
        verified: leaves covered by a head whose root was recomputed.
        begins: index of the first leaf in this copy.
        outcomes: leaves by outcome.
        root: base64 root of the last head that passed, "" without one.
        first, next: source offsets covered by the heads that passed, ``[first, next)``.
        lost: source offsets that heads declare as deleted before they were read.
        repeats: leaves for offsets that were already covered (possible at-least-once only).
        tail: leaves after the last head.
        sealed: size of the checkpoint that was checked, None without one.
        cosigned: witnesses whose cosignatures of it were checked.
        failure: None when every check passed.
    """

    log: str
    partition: int
    leaves: int
    heads: int
    verified: int
    begins: int
    outcomes: dict[str, int]
    root: str
    first: int
    next: int
    lost: int
    repeats: int
    tail: int
    notices: int = 0
    attested: int = 0
    sealed: int | None = None
    cosigned: int = 0
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Every check passed."""
        return self.failure is None
