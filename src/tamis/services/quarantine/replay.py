"""Sends refused records again, to the partition they came from, each exactly once however often it is tried.

Rules: records and the note that they were sent (``quarantine.replays``) leave in one transaction; a run first ends what
an earlier one left open, then reads the notes; the audit is told of all originals before the first is opened. What was
accepted of a record meanwhile is found by dedupe, as only what is not quarantined is remembered there; where it may be
forgotten, and where an event states no time of its own, nothing is sent (an event must not be judged by consent that
came after it).
"""

import time
from collections.abc import Callable, Iterator

from tamis.domain.audit.requests import LookReason
from tamis.kafka.reader import read_topic
from tamis.kafka.transactional import Addressed, TransactionalWriter
from tamis.records.replays import Replayed, encode_replayed
from tamis.records.topics import Topic
from tamis.services.quarantine.entries import Stored, Wanted, decoded, stored_entries
from tamis.services.quarantine.opening import Opener, Original
from tamis.services.quarantine.recheck import Recheck
from tamis.services.quarantine.replay_plan import Chosen, Plan, Skip, choose
from tamis.settings import Settings

CHUNK_RECORDS = 200
CHUNK_BYTES = 4 << 20
_HOUR_MS = 3_600_000
_MARGIN_MS = 900_000


class Replay:
    """One run.

    Args:
        settings: where topics and keys are.
        wanted: which events' records.
        refused_too: send also what would be refused again.
        dry: open and judge, send nothing.

    Raises:
        SetupError: keys, rules or topics cannot be used.
        UnreachableError: the cluster does not answer.
    """

    def __init__(self, settings: Settings, wanted: Wanted, *, refused_too: bool = False, dry: bool = False) -> None:
        self._settings = settings
        self._wanted = wanted
        self._refused_too = refused_too
        self._opener = Opener(settings, LookReason.REPLAY)
        self._recheck = Recheck(settings)
        self._now = time.time_ns() // 1_000_000
        name = f"{settings.topics.prefix}{settings.worker.app_id}-quarantine-replay"
        # before the notes are read: it ends what an earlier run left open
        self._writer = None if dry else TransactionalWriter(settings.kafka, name)
        self.sent = 0

    def plan(self, seen: Callable[[int], None] | None = None) -> Plan:
        """What would be sent, as far as can be told without opening anything."""
        notes = self._settings.topic(Topic.QUARANTINE_REPLAYS)
        done = {record.key or b"" for record in read_topic(self._settings.kafka, notes)}
        bounds = Wanted(since=max(0, self._wanted.since - _HOUR_MS))
        return choose(stored_entries(self._settings, bounds, seen), self._wanted, done)

    def run(self, plan: Plan, told: Callable[[int], None] | None = None) -> None:
        """Opens what was planned and sends it; counts go to ``sent`` and ``plan.skipped``.

        Raises:
            UnreachableError: the cluster does not answer; what was sent until then is noted.
        """
        self._opener.tell(plan.records)
        waiting: list[Addressed] = []
        size = records = 0
        for stored, chosen in self._planned(plan):
            found = self._judged(stored, chosen)
            if isinstance(found, Skip):
                plan.skipped[found] += 1
                continue
            waiting += self._records(stored, chosen, found)
            records, size = records + 1, size + len(found.value)
            if records >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                self._write(waiting, records)
                waiting, size, records = [], 0, 0
                if told is not None:
                    told(self.sent)
        self._write(waiting, records)

    def _write(self, waiting: list[Addressed], records: int) -> None:
        if waiting and self._writer is not None:
            self._writer.write(waiting)
        self.sent += records

    def _planned(self, plan: Plan) -> Iterator[tuple[Stored, Chosen]]:
        left = plan.count()
        first = {partition: min(offsets) for partition, offsets in plan.records.items()}
        if not left:
            return
        topic = self._settings.topic(Topic.EVENTS_QUARANTINE)
        for stored in decoded(read_topic(self._settings.kafka, topic, first=first)):
            chosen = plan.records[stored.partition].get(stored.offset)
            if chosen is not None and chosen.key == stored.key:
                yield stored, chosen
                left -= 1
                if not left:
                    return

    def _judged(self, stored: Stored, chosen: Chosen) -> Original | Skip:
        """The original, when it may go."""
        original = self._opener.open(stored)
        if original is None:
            return Skip.UNREADABLE
        fates = self._recheck.fates(stored.entry, original)
        usable = {fate.index for fate in fates if not fate.why}
        if not (usable if chosen.whole else usable & chosen.refused) and not self._refused_too:
            return Skip.REFUSED
        if any(fate.undated for fate in fates):
            return Skip.UNDATED
        others = not chosen.whole and any(fate.index not in chosen.refused for fate in fates)
        if others and stored.entry.topic == Topic.EVENTS_RAW and self._forgotten(stored):
            return Skip.FORGOTTEN
        return original

    def _forgotten(self, stored: Stored) -> bool:
        window_ms = self._settings.dedupe.window_h * _HOUR_MS
        return self._now - stored.entry.received_at > window_ms - _MARGIN_MS

    def _records(self, stored: Stored, chosen: Chosen, original: Original) -> list[Addressed]:
        entry, topic = stored.entry, self._settings.topic
        note = Replayed(at=self._now, topic=entry.topic, partition=entry.partition, offset=entry.offset)
        return [
            Addressed(
                topic(entry.topic), entry.partition, None, original.value, tuple(original.headers), entry.received_at
            ),
            Addressed(topic(Topic.QUARANTINE_REPLAYS), 0, chosen.key, encode_replayed(note)),
        ]
