"""Restores tables from their changelogs in large steps.

Rules: changelog records (active recovery and standbys) go straight into the store, because Faust's own queue is slow
and is cleared while standby records are in it. Recovery ends when the fetch position has passed the end of the log: a
changelog that ends in transaction markers never delivers the record stock recovery waits for.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import IllegalStateError

STEP = 5_000


class ChangelogEvent:
    """What a store needs of a changelog record; stands for the Faust event and for its message."""

    __slots__ = ("key", "message", "offset", "partition", "tp", "value")

    def __init__(self, record: Any, tp: Any) -> None:
        self.key, self.value, self.offset = record.key, record.value, record.offset
        self.tp, self.partition = tp, tp.partition
        self.message = self


class ChangelogFeed:
    """Feeds changelog records to the tables of one consumer.

    Args:
        consumer: the transport's consumer.
    """

    def __init__(self, consumer: Any) -> None:
        self._consumer, self._app = consumer, consumer.app
        self._tables = self._app.tables
        self._recovery = self._tables.recovery

    async def restore(self, records: dict[Any, list[Any]], generation: int) -> dict[Any, list[Any]]:
        """Apply the changelog records among `records`; returns the others.

        Args:
            records: fetched records by partition.
            generation: the group generation they were fetched in.
        """
        for tp in list(records):
            offsets = self._offsets_of(tp)
            if offsets is None:
                continue
            for part in self._parts(tp, records.pop(tp), offsets.get(tp)):
                if self._app.consumer_generation_id != generation:
                    return {}
                self._recovery.tp_to_table[tp].apply_changelog_batch(part)
                offsets[tp] = part[-1].offset
                await asyncio.sleep(0)
        self._finish_if_done()
        self._standbys_ready()
        return records

    def _offsets_of(self, tp: Any) -> Any:
        recovery = self._recovery
        table = recovery.tp_to_table.get(tp)
        if table is None or table._on_changelog_event:  # noqa: SLF001 - pinned
            return None
        if tp in recovery.active_tps:
            return recovery.active_offsets
        return recovery.standby_offsets if tp in recovery.standby_tps else None

    @staticmethod
    def _parts(tp: Any, records: list[Any], seen: int | None) -> list[list[ChangelogEvent]]:
        fresh = [ChangelogEvent(r, tp) for r in records if seen is None or r.offset > seen]
        return [fresh[i : i + STEP] for i in range(0, len(fresh), STEP)]

    async def check_end(self) -> None:
        """Nothing was fetched: see whether recovery has reached the end of the changelogs."""
        recovery, generation = self._recovery, self._app.consumer_generation_id
        if not self._recovering(generation) or not self._tables.changelog_queue.empty():
            return
        for tp, highwater in list(recovery.active_highwaters.items()):
            reached = recovery.active_offsets.get(tp)
            if reached is None or reached >= highwater:
                continue
            try:
                position = await self._consumer.position(tp)
            except IllegalStateError:  # revoked meanwhile
                return
            if not self._recovering(generation):
                return
            if position and position > highwater:
                recovery.active_offsets[tp] = highwater
        self._finish_if_done()

    def _recovering(self, generation: int) -> bool:
        recovery = self._recovery  # flow is only on after Faust has built highwaters and sought
        same = generation == self._app.consumer_generation_id == recovery._generation_id  # noqa: SLF001 - pinned
        return bool(self._consumer.flow_active and recovery.in_recovery and same)

    def _finish_if_done(self) -> None:
        recovery = self._recovery
        ready = self._consumer.flow_active and recovery.in_recovery and self._tables.changelog_queue.empty()
        if ready and not recovery.need_recovery():
            recovery.flush_buffers()
            recovery._set_recovery_ended()  # noqa: SLF001 - pinned
            recovery.signal_recovery_end.set()

    def _standbys_ready(self) -> None:
        recovery, tables = self._recovery, self._tables
        if recovery.standby_tps and not tables.standbys_ready and not recovery.standby_remaining_total():
            tables.on_standbys_ready()
