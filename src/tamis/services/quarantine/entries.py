"""Entries of ``events.quarantine`` for commands: which ones, and what they say without being opened.

Rules: no key is needed and nothing is decrypted here; what an entry shows beside its ciphertext is words of closed
sets, of the configuration or of the producer's SDK.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from tamis.domain.quarantine import QuarantineEntry
from tamis.kafka.reader import TopicRecord, read_topic
from tamis.kafka.times import read_between
from tamis.records.topics import Topic
from tamis.services.leaf_search import Position
from tamis.settings import Settings, SetupError

_EVER_MS = 253_402_300_799_999
_SKEW_MS = 3_600_000  # clocks of brokers and workers are not further apart
FIELDS = ("reason", "stage", "producer", "site", "rule", "source")


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An entry with its place in ``events.quarantine``.

    Attributes:
        partition, offset: of the quarantine record.
        key: of the quarantine record: a keyed digest of the source position.
        entry: its value.
    """

    partition: int
    offset: int
    key: bytes
    entry: QuarantineEntry

    @property
    def position(self) -> Position:
        """Where the event came from."""
        entry = self.entry
        return Position(entry.topic, entry.partition, entry.offset, entry.index)

    def field(self, name: str) -> str:
        """One of ``FIELDS``; "-" when nothing tells."""
        return str(getattr(self.entry, "topic" if name == "source" else name, "")) or "-"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries.

    Attributes:
        since, until: bounds of ``received_at``, ``[since, until)``, ms.
        partitions: of the source, empty for all.
        fields: name of one of ``FIELDS`` -> accepted values; a name that is absent accepts all.
    """

    since: int = 0
    until: int = _EVER_MS
    partitions: frozenset[int] = frozenset()
    fields: dict[str, frozenset[str]] = {}

    def accepts(self, stored: Stored) -> bool:
        """Whether an entry is one of them."""
        entry = stored.entry
        if not self.since <= entry.received_at < self.until:
            return False
        if self.partitions and entry.partition not in self.partitions:
            return False
        return all(stored.field(name) in values for name, values in self.fields.items())


def stored_entries(settings: Settings, wanted: Wanted, seen: Callable[[int], None] | None = None) -> Iterator[Stored]:
    """Entries that are wanted, in order within a partition.

    Args:
        settings: where the topic is.
        wanted: which.
        seen: told how many entries were looked at, now and then.

    Raises:
        SetupError: there is no such topic, or it holds what is no entry.
        UnreachableError: the cluster does not answer.
    """
    topic = settings.topic(Topic.EVENTS_QUARANTINE)
    for stored in _counted(decoded(_records(settings, topic, wanted)), seen):
        if wanted.accepts(stored):
            yield stored


def _records(settings: Settings, topic: str, wanted: Wanted) -> Iterable[TopicRecord]:
    """From where the first wanted one may stand: an entry is never written before it was received."""
    if wanted.since and settings.worker.time_source == "broker":
        return read_between(settings.kafka, topic, max(0, wanted.since - _SKEW_MS), _EVER_MS)
    return read_topic(settings.kafka, topic)


def decoded(records: Iterable[TopicRecord]) -> Iterator[Stored]:
    """Records of the topic as entries.

    Raises:
        SetupError: one is none.
    """
    read = msgspec.json.Decoder(QuarantineEntry).decode
    for record in records:
        try:
            entry = read(record.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            place = f"{record.topic}/{record.partition}/{record.offset}"
            raise SetupError(f"{place} is no quarantine entry of this version") from None
        yield Stored(record.partition, record.offset, record.key or b"", entry)


def _counted(found: Iterable[Stored], seen: Callable[[int], None] | None) -> Iterator[Stored]:
    number = 0
    for number, stored in enumerate(found, 1):
        if seen is not None and not number % 1_000:
            seen(number)
        yield stored
    if seen is not None:
        seen(number)
