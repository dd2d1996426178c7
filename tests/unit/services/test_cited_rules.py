"""Rules are kept under the hash that leaves cite them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.kafka.reader import TopicRecord
from tamis.records.rules import ACTIVE, BundleBody, PointerBody, encode_signed
from tamis.services.cited_rules import keep_rules, published_sources
from tests.support.decided import configured

if TYPE_CHECKING:
    from pathlib import Path


def _record(value: bytes | None) -> TopicRecord:
    return TopicRecord(topic="rules", partition=0, offset=0, timestamp=0, key=None, value=value)


def test_published_rules_are_kept_by_their_hash_and_others_passed_over(tmp_path: Path) -> None:
    bundle = configured()
    body = BundleBody(hash=bundle.hash, source=bundle.source.decode(), files={}, at=1)
    pointer = PointerBody(role=ACTIVE, hash=bundle.hash, seq=1, topic="rules", at=1)
    values = [encode_signed(each, "key", lambda raw: "sig") for each in (body, pointer, body)]
    records = [_record(value) for value in (*values, None, b"nonsense")]
    assert keep_rules(tmp_path, published_sources(records)) == [bundle.hash]
    assert (tmp_path / f"bundles/{bundle.hash}.json").read_bytes() == bundle.source
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [f"{bundle.hash}.json"]
