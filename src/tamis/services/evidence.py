"""Gathers evidence for decisions from a folder of sealed logs, and says in a text how to check it.

Rules: needs the folder alone. Each leaf is proved under the newest checkpoint with a quorum (else the newest one the
log signed) and, where an anchor covers it, under the checkpoint of the first such anchor, so that the time is the
earliest that can be shown. Rules that a leaf cites are taken along when the folder has them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from tamis.domain.audit.anchor import AnchorError, parse_anchor
from tamis.domain.audit.checkpoint import Checkpoint
from tamis.domain.audit.evidence import Evidence, Item, Manifest
from tamis.domain.audit.evidence_check import cited_bundle
from tamis.domain.audit.merkle import leaf_hash
from tamis.domain.audit.note import Note, VerifierKey
from tamis.domain.audit.opening import Opening, encode_opening
from tamis.domain.audit.proof import inclusion_holds, inclusion_proof
from tamis.domain.audit.tlog_proof import TlogProof
from tamis.services.leaf_search import Found, position_of
from tamis.settings import SetupError
from tamis.stores.sealed_folder import SealedFolder, SealedLog, anchor_numbers, anchor_path, read_anchor

_ANCHORS_KEPT = 256

Anchored = tuple[int, Note, Checkpoint]
"""Number of an anchor, and a checkpoint in it."""


def _nothing(_leaf: bytes) -> None:
    """Opens nothing."""


class EvidenceGatherer:
    """Gathers from one folder.

    Args:
        folder: of sealed logs.
        claimed: keys of sealer and witnesses as they are known here.
        rules: hash -> canonical text of rules that the folder may lack.
        open_: gives what opens a leaf's commitment, None where nothing does; without it nothing is opened.
    """

    def __init__(
        self, folder: SealedFolder, claimed: Iterable[VerifierKey] = (), rules: Mapping[str, bytes] | None = None,
        open_: Callable[[bytes], Opening | None] = _nothing,
    ) -> None:  # fmt: skip
        self._open = open_
        self._folder, self._rules = folder, rules or {}
        self._claimed = tuple(map(str, claimed))
        self._numbers = anchor_numbers(folder.folder)
        self._anchor = lru_cache(_ANCHORS_KEPT)(self._read_anchor)

    def gather(self, found: Sequence[Found]) -> Evidence:
        """Evidence of these leaves.

        Raises:
            SetupError: a tile or entry does not belong to the tree that was signed.
        """
        files: dict[str, bytes] = {}
        anchors: set[int] = set()
        items, bundles = [], set()
        for number, each in enumerate(found, 1):
            name = f"leaves/{number:06d}.json"
            files[name] = each.leaf
            proofs = {self._kind(each.log, each.index): self._prove(each, *self._newest(each.log, each.index))}
            anchored = self._first_anchor(each.log, each.index)
            if anchored is not None:
                anchors.add(anchored[0])
                proofs["anchored"] = self._prove(each, anchored[1], anchored[2])
            names = {f"proofs/{number:06d}.{kind}.tlog-proof": proof for kind, proof in proofs.items()}
            files |= {file: str(proof).encode() for file, proof in names.items()}
            opening, opened = self._open(each.leaf), ""
            if opening is not None:
                opened = f"openings/{number:06d}.json"
                files[opened] = encode_opening(opening)
            position, origin = str(position_of(each.leaf)), str(each.log.origin)
            items.append(
                Item(log=origin, index=each.index, position=position, leaf=name, proofs=tuple(names), opening=opened)
            )
            bundles.add(cited_bundle(each.leaf))
        kept = {digest: source for digest in bundles if digest and (source := self._cited(digest))}
        files |= {f"bundles/{digest}.json": source for digest, source in kept.items()}
        for anchor in anchors:
            stored = read_anchor(self._folder.folder, anchor)
            files |= {f"anchors/{anchor}.txt": stored.text, f"anchors/{anchor}.tsr": stored.stamp}
        manifest = Manifest(
            items=tuple(items),
            anchors=tuple(sorted(anchors)),
            bundles=tuple(sorted(kept)),
            claimed_keys=self._claimed,
        )
        return Evidence(manifest, files)

    def _cited(self, digest: str) -> bytes | None:
        return self._folder.bundle(digest) or self._rules.get(digest)

    @staticmethod
    def _newest(log: SealedLog, index: int) -> tuple[Note, Checkpoint]:
        """The newest checkpoint with a quorum if it covers the leaf, else the newest."""
        witnessed = log.witnessed
        return witnessed if witnessed and index < witnessed[1].size else (log.note, log.checkpoint)

    def _kind(self, log: SealedLog, index: int) -> str:
        return "sealed" if self._newest(log, index)[1] is log.checkpoint else "witnessed"

    def _first_anchor(self, log: SealedLog, index: int) -> Anchored | None:
        """A log's size never goes down from anchor to anchor, so the first that covers a leaf is found by halving."""
        origin = str(log.origin)

        def covers(number: int) -> bool:
            found = self._anchor(number).get(origin)
            return found is not None and found[1].size > index

        at = bisect_left(self._numbers, True, key=covers)
        if at == len(self._numbers):
            return None
        note, checkpoint = self._anchor(self._numbers[at])[origin]
        return self._numbers[at], note, checkpoint

    def _read_anchor(self, number: int) -> dict[str, tuple[Note, Checkpoint]]:
        try:
            anchor = parse_anchor(read_anchor(self._folder.folder, number).text)
        except AnchorError as error:
            raise SetupError(f"{anchor_path(self._folder.folder, number)}: {error}") from None
        pairs = zip(anchor.notes, anchor.checkpoints(), strict=True)
        return {checkpoint.origin: (note, checkpoint) for note, checkpoint in pairs}

    @staticmethod
    def _prove(found: Found, note: Note, checkpoint: Checkpoint) -> TlogProof:
        log, size = found.log, checkpoint.size
        if size > log.size:
            raise SetupError(f"{log.origin}: a checkpoint of {size} leaves, but the newest one has {log.size}")
        hashes = tuple(inclusion_proof(log.node(), found.index, size))
        if not inclusion_holds(hashes, found.index, size, leaf_hash(found.leaf), checkpoint.root):
            raise SetupError(
                f"{log.origin}: leaf {found.index} does not lead to the root signed at {size}: the folder is damaged "
                "or was changed, see: tamis audit verify"
            )
        return TlogProof(found.index, hashes, str(note))
