"""Keeps the rules that leaves cite beside the sealed logs: ``bundles/<hash>.json``, from the rules topic or a folder.

Rules: a text is kept under the hash that follows from it and nothing else, so no signature is needed to believe it: a
leaf cites that hash. What is there already is not written again.
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec

from tamis.domain.audit.evidence_check import HASH_CHARS
from tamis.kafka.reader import TopicRecord
from tamis.records.rules import BundleBody, decode_signed
from tamis.stores.durable_file import place_file
from tamis.stores.sealed_folder import BUNDLES


def keep_rules(folder: Path, sources: Iterable[bytes]) -> list[str]:
    """Writes canonical texts; gives their hashes, each once."""
    kept: dict[str, None] = {}
    for source in sources:
        digest = sha256(source).hexdigest()[:HASH_CHARS]
        path = folder / BUNDLES / f"{digest}.json"
        if not path.exists():
            place_file(path, source)
        kept[digest] = None
    return list(kept)


def published_sources(records: Iterable[TopicRecord]) -> Iterable[bytes]:
    """Canonical texts in the records of the rules topic; records that are none are passed over."""
    for record in records:
        signed = decode_signed(record.value or b"")
        if signed is None:
            continue
        try:
            yield msgspec.json.decode(signed.body, type=BundleBody).source.encode()
        except msgspec.DecodeError:  # a pointer
            continue
