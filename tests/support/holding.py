"""Events held by a small intake and decided again by a small release, over one consent table."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle, Hold
from tamis.records.batch import Emissions, RawBatch
from tamis.records.topics import Topic
from tamis.release import Release, Released
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake

BASE = "tamis.test"
PARTITION = 3
SOURCES = {False: Topic.EVENTS_HELD, True: Topic.EVENTS_HELD_LAST}


def holding_bundle(**policy: Any) -> Bundle:
    """The small bundle, which holds what is unknown."""
    bundle = small_bundle()
    changed = msgspec.structs.replace(bundle.policy, **{"hold": Hold(), **policy})
    return msgspec.structs.replace(bundle, policy=changed)


def hold(consent: ConsentTable, *values: bytes, bundle: Bundle | None = None) -> Emissions:
    """Intake's emissions for these records."""
    records = [StoredRecord(i, START + i, value) for i, value in enumerate(values)]
    batch = RawBatch(Topic.EVENTS_RAW, PARTITION, records, 0, len(records), START)
    log = AuditLog(f"{BASE}/audit.log/p{PARTITION}/e1")
    return small_intake(consent, bundle or holding_bundle()).process(log, batch)


def release(
    consent: ConsentTable, *held: tuple[bytes | None, bytes | None], last: bool = False, after_ms: int = 10_000,
    bundle: Bundle | None = None, log: AuditLog | None = None,
) -> Released:  # fmt: skip
    """What becomes of held records (key and value) some time after they were held."""
    source = SOURCES[last].value
    records = [StoredRecord(i, START, value, key) for i, (key, value) in enumerate(held)]
    batch = RawBatch(source, PARTITION, records, 0, len(records), START + after_ms)
    log = log or AuditLog(f"{BASE}/audit.{source.removeprefix('events.')}/p{PARTITION}/e1")
    return Release(small_intake(consent, bundle or holding_bundle()), last=last).process(log, batch)


def leaves(found: Emissions | Released) -> list[dict[str, Any]]:
    """Its leaves."""
    emissions = found.emissions if isinstance(found, Released) else found
    return [json.loads(leaf) for leaf in emissions.leaves]


def sent(found: Emissions | Released, topic: str) -> list[tuple[bytes | None, bytes]]:
    """Key and value of what goes to a topic."""
    emissions = found.emissions if isinstance(found, Released) else found
    return list(emissions.outputs.get(topic, []))


def leaks(found: Released) -> int:
    """Records that leave tamis."""
    return sum(len(sent(found, topic)) for topic in ("events.clean", "crm.hubspot"))
