"""Bytes of the audit log: one leaf per event, one head per transaction that wrote leaves or moved the clock.

Rules: values are ASCII JSON objects with sorted keys, integers below 2^53, no floats, no free text, at most 4 KiB; the
stored value bytes are what is hashed (RFC 6962 leaf: SHA-256(0x00 || value)). Everything a decision was taken on is in
its leaf, so the same leaf re-evaluates to the same verdict. Fragments that repeat are rendered once by the caller, and
every argument that is text must need no escaping (keyed tokens, ids from the bundle, closed vocabularies).
Not handled here: signing (``attestation``), leaves that stand for no event (``notices``), proofs.
"""

from base64 import b64encode

import msgspec

LEAF_VERSION = 1
MAX_LEAF_BYTES = 4096
FRAME_BYTES = 900
"""What a leaf and its citation take at most besides the facts: ``dest``, ``facts``, ``inline``, ``reg`` are empty."""
HEAD_HEADER = ("type", b"head")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A batch head (record header ``type = head``, not a leaf).

    Attributes:
        counts: events of this batch by outcome.
        first, next: source offsets covered, ``[first, next)``.
        log: origin of the log (``origin``), epoch included.
        lost: source offsets that retention deleted before they were read, ``[from, to)``, else None; a gap leaf says
            the same.
        n: tree size after this batch; start: before it.
        peaks: compact range of the tree of size n, base64, largest subtree first.
        received_at: the partition's monotone clock, ms.
        root: RFC 6962 tree head of size n, base64.
        sig: the worker's signature (``attestation``), base64; "" where none signs.
        wk: id of the worker's key.
    """

    counts: dict[str, int]
    first: int
    log: str
    lost: tuple[int, int] | None
    n: int
    next: int
    peaks: tuple[str, ...]
    received_at: int
    root: str
    start: int
    sig: str = ""
    v: int = LEAF_VERSION
    wk: str = ""


_ENCODER = msgspec.json.Encoder(order="sorted")
_HEAD_DECODER = msgspec.json.Decoder(Head)


def encode_head(head: Head) -> bytes:
    """JSON with sorted keys."""
    return _ENCODER.encode(head)


def decode_head(value: bytes) -> Head:
    """The head in a record value.

    Raises:
        msgspec.ValidationError: the value is not a head: the log was written by something else.
    """
    return _HEAD_DECODER.decode(value)


def base64_of(digests: list[bytes]) -> tuple[str, ...]:
    """Digests as base64 text, for ``Head.peaks``."""
    return tuple(b64encode(digest).decode() for digest in digests)


class LeafFrame:
    """The parts of a leaf that are equal for a whole partition and bundle.

    Args:
        bundle_hash: cited in each leaf.
        topic: source topic without prefix.
        partition: source partition.
    """

    __slots__ = ("_bundle", "_source")

    def __init__(self, bundle_hash: str, topic: str, partition: int) -> None:
        self._bundle = f',"bundle":"{bundle_hash}","cm":"'
        self._source = f',"p":{partition},"t":"{topic}"}},"ts":'

    def leaf(
        self,
        occurred_at: int,
        commitment: str,
        destinations: str,
        event_id: str,
        facts: str,
        rule: str,
        seq: int,
        index: int,
        offset: int,
        received_at: int,
        why: str,
    ) -> bytes:
        """One event's leaf.

        Args:
            occurred_at: event time used in the decision, ms.
            commitment: keyed commitment to the event's bytes.
            destinations: rendered ``"dest":{...}`` fragment.
            event_id: keyed event id.
            facts: rendered ``"facts":...,"inline":...,"out":...,"pid":...,"reg":...,`` fragment (``domain.standing``).
            rule: rendered ``"rev":...,"rule":...`` fragment.
            seq: index of the leaf in the tree.
            index: index of the event within its record.
            offset: source offset.
            received_at: monotone time of receipt, ms.
            why: reason.
        """
        return (
            f'{{"at":{occurred_at}{self._bundle}{commitment}",{destinations},"eid":"{event_id}",{facts}'
            f'{rule},"seq":{seq},"src":{{"i":{index},"o":{offset}{self._source}{received_at}'
            f',"v":1,"why":"{why}"}}'
        ).encode()


def cited(leaf: bytes, citation: str) -> bytes:
    """A leaf that cites another one: ``"cites":...`` stands where the order of keys puts it, behind the bundle.

    Args:
        leaf: as ``LeafFrame.leaf`` gives it.
        citation: JSON that needs no escaping.
    """
    before, mark, after = leaf.partition(b',"cm":"')
    return b"".join((before, b',"cites":', citation.encode(), mark, after))
