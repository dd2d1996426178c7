"""The logs of held events are verified, exported and searched like the log of what came in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.report import Check
from tamis.domain.consent.model import Status
from tamis.kafka.reader import TopicRecord
from tamis.records.batch import Emissions
from tamis.services.audit_check import CheckPolicy, export_records, log_folders, verify_exports, verify_records
from tamis.services.leaf_search import by_position, by_tag, parse_position
from tamis.services.sealer_config import LOGS
from tamis.stores.sealed_folder import SealedFolder
from tests.support.core import ConsentTable, track
from tests.support.holding import BASE, PARTITION, hold, leaves, release, sent
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log

if TYPE_CHECKING:
    from pathlib import Path

YES = {"analytics": Status.GRANTED}
NO = {"analytics": Status.DENIED, "marketing": Status.DENIED}


def three_logs() -> dict[str, Emissions]:
    """Four held events: one released, one denied, two forwarded and denied in the end."""
    consent = ConsentTable()
    bodies = [track(f"m-{n}", anonymousId=f"device-{n}") for n in range(4)]
    held = hold(consent, *bodies)
    for device, choices in (("device-0", YES), ("device-1", NO)):
        consent.set_device(device, **choices)
    first = release(consent, *sent(held, "events.held"))
    last = release(consent, *sent(first, "events.held.last"), last=True, after_ms=300_000)
    return dict(zip(LOGS, (held, first.emissions, last.emissions), strict=True))


def records(topic: str, emissions: Emissions) -> list[TopicRecord]:
    """As the topic has them."""
    values = [(False, leaf) for leaf in emissions.leaves] + [(True, emissions.head or b"")]
    return [
        TopicRecord(topic=topic, partition=PARTITION, offset=offset, timestamp=0, key=None, value=value,
                    headers=(HEAD_HEADER,) if is_head else ())
        for offset, (is_head, value) in enumerate(values)
    ]  # fmt: skip


def test_all_logs_of_an_export_are_verified(tmp_path: Path) -> None:
    for log, emissions in three_logs().items():
        export_records(records(log, emissions), log_folders(tmp_path)[log], f"prod.{log}")
    reports = verify_exports(tmp_path)
    assert [report.ok for report in reports] == [True] * 3
    assert [report.outcomes for report in reports] == [
        {"held": 4}, {"released": 1, "denied": 1, "forwarded": 2}, {"denied": 2},
    ]  # fmt: skip


@pytest.mark.parametrize("log", ["audit.held", "audit.held.last"])
def test_a_log_of_held_events_is_not_one_of_what_came_in(log: str) -> None:
    found = records(log, three_logs()[log])
    assert verify_records(found, CheckPolicy().of(log))[0].ok
    (report,) = verify_records(found)
    assert report.failure is not None
    assert report.failure.check is Check.SOURCE


def test_an_outcome_of_the_other_kind_is_refused() -> None:
    emissions = three_logs()["audit.held"]
    wrong = [leaf.replace(b'"out":"released"', b'"out":"accepted"') for leaf in emissions.leaves]
    found = records("audit.held", Emissions({}, wrong, emissions.head, emissions.tally, 0))
    (report,) = verify_records(found, CheckPolicy().of("audit.held"))
    assert report.failure is not None
    assert report.failure.check is Check.SHAPE


def test_later_decisions_are_found_with_the_position_and_the_tag(tmp_path: Path) -> None:
    for log, emissions in three_logs().items():
        write_log(tmp_path, SealedLog(emissions.leaves, f"{BASE}/{log}/p{PARTITION}/e1"))
    folder = SealedFolder(tmp_path)

    def outs(offset: int) -> list[str]:
        found = by_position(folder, parse_position(f"events.raw/{PARTITION}/{offset}"))
        return [json.loads(each.leaf)["out"] for each in found]

    assert outs(0) == ["held", "released"]
    assert outs(1) == ["held", "denied"]
    assert sorted(outs(3)) == ["denied", "forwarded", "held"]
    tag = leaves(three_logs()["audit.log"])[3]["eid"]
    assert len(by_tag(folder, tag)) == 3


def test_a_log_goes_on_from_its_head() -> None:
    consent = ConsentTable()
    held = sent(hold(consent, track()), "events.held")
    log = AuditLog(f"{BASE}/audit.held/p{PARTITION}/e1")
    first = release(consent, *held, log=log)
    assert leaves(first)[0]["seq"] == 0
    assert (log.seq, log.next) == (1, 1)
