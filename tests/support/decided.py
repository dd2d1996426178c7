"""A folder of sealed logs whose leaves the core itself decided, under a configuration of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tamis.bundles.load import load_bundle
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import Status
from tamis.records.batch import RawBatch
from tests.support.core import ConsentTable, StoredRecord, small_intake, track
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import BASE, WITNESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = Path(__file__).resolve().parents[2] / "config/reference"
NOW = 1_795_170_000_000
SINCE = NOW - 7 * 86_400_000


def configured() -> Bundle:
    """The reference configuration."""
    bundle = load_bundle(CONFIG)
    assert isinstance(bundle, Bundle)
    return bundle


def decided(bodies: Sequence[bytes]) -> list[bytes]:
    """Leaves of these request bodies: device-1 agreed to analytics and refused marketing, device-2 is not known."""
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.WITHDRAWN)
    for key, record in consent.records.items():
        purposes = {
            scope: tuple(replace(version, effective_at=SINCE, recorded_at=SINCE) for version in versions)
            for scope, versions in record.purposes.items()
        }
        consent.records[key] = replace(record, purposes=purposes)
    records = [StoredRecord(offset, NOW, body) for offset, body in enumerate(bodies)]
    batch = RawBatch("events.raw", 0, records, 0, len(records), NOW)
    return small_intake(consent, configured()).process(AuditLog(f"{BASE}/audit.log/p0/e1"), batch).leaves


def bodies(count: int) -> list[bytes]:
    """Known and unknown devices, planned and unplanned events, inline refusals, and some that cannot be read."""
    kinds = (
        lambda n: track(f"m-{n}"),
        lambda n: track(f"m-{n}", anonymousId="device-2"),
        lambda n: track(f"m-{n}", event="Unknown Event"),
        lambda n: b"no json" * (n % 2 + 1),
        lambda n: track(f"m-{n}", context={"consent": {"categoryPreferences": {"Analytics": False}}}),
        lambda n: track(f"m-{n}", timestamp="2026-11-14T09:00:00.000Z"),
    )
    return [kinds[n % len(kinds)](n) for n in range(count)]


def write_decided(place: Path, count: int = 60, *, rules: bool = True) -> Path:
    """The folder; with the rules in it unless told otherwise."""
    write_log(place, SealedLog(decided(bodies(count)), f"{BASE}/audit.log/p0/e1"), cosigners=WITNESSES)
    if rules:
        bundle = configured()
        path = place / f"bundles/{bundle.hash}.json"
        path.parent.mkdir()
        path.write_bytes(bundle.source)
    return place
