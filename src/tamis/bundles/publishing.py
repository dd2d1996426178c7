"""Records for the topic ``rules``: a bundle, and a pointer moved to it.

Rules: a pointer is numbered after the one that holds; both are signed. Pure: what is in the topic and the time come in.
"""

import msgspec

from tamis.bundles.published import Published
from tamis.bundles.signing import Signer
from tamis.domain.bundle import Bundle
from tamis.records.rules import ACTIVE, WORKER, BundleBody, PointerBody, WorkerReport, encode_signed

Pair = tuple[bytes, bytes]
"""Key and value of a record."""


def bundle_record(bundle: Bundle, files: dict[str, str], signer: Signer, at: int) -> Pair:
    """The record of a bundle; ``files`` as of ``bundles.folder.files_of``, ``at`` in ms."""
    body = BundleBody(hash=bundle.hash, source=bundle.source.decode(), files=files, at=at)
    return bundle.hash.encode(), encode_signed(body, signer.public, signer.sign)


def pointer_record(found: Published, name: str, signer: Signer, topic: str, at: int, role: str = ACTIVE) -> Pair:
    """The record that moves a pointer.

    Args:
        found: what the topic holds.
        name: hash to point to; "" takes a candidate away.
        signer: whose key signs.
        topic: full name of the topic.
        at: now, ms.
        role: ``ACTIVE`` or ``SHADOW``.
    """
    before = found.pointer(role)
    seq, previous = (before.seq + 1, before.hash) if before is not None else (1, "")
    body = PointerBody(role=role, hash=name, seq=seq, topic=topic, at=at, previous=previous)
    return role.encode(), encode_signed(body, signer.public, signer.sign)


def report_record(report: WorkerReport) -> Pair:
    """The record of a worker's report."""
    return f"{WORKER}{report.worker}".encode(), msgspec.json.encode(report)
