"""The release agent waits while consent may be stale, writes a batch whole, and its clock is its watermark."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self

import pytest

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.records.metrics import decode_partial
from tamis.records.topics import Topic
from tamis.streaming.agents.release import ReleaseConfig, ReleaseRunner
from tests.support.core import START, ConsentTable, StoredRecord, small_intake, track
from tests.support.holding import BASE, PARTITION, hold, holding_bundle, sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from tamis.release import Released

DUE = START + 10_000


class Logs:
    """One new log, as the agent sees the logs of a role."""

    topic = "audit.held"

    def __init__(self) -> None:
        self.log = AuditLog(f"{BASE}/audit.held/p{PARTITION}/e1")
        self.opened = 0

    async def open(self, _partition: int, _committed: int | None) -> AuditLog:
        self.opened += 1
        return self.log

    def sign(self, *_: object) -> None:
        """No key."""

    def committed(self, *_: object) -> None:
        """Not remembered."""


class HeldBatch:
    """A batch of the transport, as far as the agent looks; what was sent, by topic and partition."""

    partition, first, lost, resumed_at = PARTITION, 0, None, None

    def __init__(self, records: list[StoredRecord], local: dict[str, object], clock: int) -> None:
        self.records, self.local, self.clock, self.next = records, local, clock, len(records)
        self.after_commit: list[Callable[[], None]] = []
        self.sent: defaultdict[tuple[str, int | None], list[bytes]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for callback in self.after_commit:
            callback()

    def send(self, topic: str, items: Iterable[Any], partition: int | None = None, **_: object) -> None:
        self.sent[topic, partition] += [value for _, value in items]


class Told:
    def __init__(self) -> None:
        self.found: list[Released] = []

    def released(self, _topic: str, _partition: int, found: Released) -> None:
        self.found.append(found)


class Setup:
    """A runner over one consent table, and the gate's answers in turn."""

    def __init__(self, consent: ConsentTable, gates: list[str | None], now: int = DUE) -> None:
        self.asked, self.logs, self.told = 0, Logs(), Told()
        self._gates = gates
        core = small_intake(consent, holding_bundle())
        config = ReleaseConfig(
            topic=str, partitions=4, metrics_partitions=2, watermark_ms=1_000, record_time=False, gate=self._gate,
            now=lambda: now, core=lambda: core,
        )  # fmt: skip
        logs: Any = self.logs
        self.runner = ReleaseRunner(Topic.EVENTS_HELD, config, logs, self.told)

    def _gate(self) -> str | None:
        self.asked += 1
        return self._gates.pop(0) if self._gates else None

    def run(self, *batches: HeldBatch) -> None:
        async def handed_out() -> AsyncIterator[Any]:
            for batch in batches:
                yield batch

        asyncio.run(self.runner.run(handed_out()))


def held(consent: ConsentTable) -> list[StoredRecord]:
    ((key, value),) = sent(hold(consent, track()), "events.held")
    return [StoredRecord(0, START, value, key)]


def test_what_waits_for_fresh_consent_is_decided_by_what_is_known_then(monkeypatch: pytest.MonkeyPatch) -> None:
    consent = ConsentTable()
    consent.set_device("device-1")
    records = held(consent)
    setup = Setup(consent, ["consent_too_old", "consent_too_old"])

    async def meanwhile(_seconds: float) -> None:
        assert not setup.told.found, "nothing is decided while the gate is closed"
        consent.set_device("device-1", analytics=Status.WITHDRAWN, marketing=Status.WITHDRAWN)

    monkeypatch.setattr("tamis.streaming.agents.release.asyncio.sleep", meanwhile)
    batch = HeldBatch(records, {}, START)
    setup.run(batch)
    assert setup.asked == 3
    assert [found.fates for found in setup.told.found] == [{("denied", "withdrawn"): 1}]
    assert not [place for place in batch.sent if place[0] in ("events.clean", "crm.hubspot")]


def test_outputs_leaf_head_and_counts_of_a_batch_are_sent_with_it() -> None:
    consent = ConsentTable()
    records = held(consent)
    consent.set_device("device-1", analytics=Status.GRANTED)
    setup, batch = Setup(consent, []), HeldBatch(records, {}, START)
    setup.run(batch)
    assert len(batch.sent["events.clean", None]) == 1
    assert len(batch.sent["audit.held", None]) == 2
    partials = [decode_partial(value) for (topic, _), values in batch.sent.items() for value in values
                if topic == "metrics.partials"]  # fmt: skip
    assert {partial.source for partial in partials} == {f"events.held/{PARTITION}"}
    assert {partial.watermark for partial in partials} == {DUE}
    assert [cell.outcome for partial in partials for cell in partial.cells] == ["released"]


def test_an_empty_batch_tells_how_far_it_is_and_the_clock_never_goes_back() -> None:
    setup, local = Setup(ConsentTable(), []), dict[str, object]()
    later = Setup(ConsentTable(), [], now=START)
    later.logs = setup.logs
    setup.run(HeldBatch([], local, START))
    assert setup.logs.log.clock == DUE
    later.run(HeldBatch([], local, START))
    assert (setup.logs.log.clock, setup.logs.opened) == (DUE, 1)
    assert [found.emissions.watermark for found in (*setup.told.found, *later.told.found)] == [DUE, DUE]
