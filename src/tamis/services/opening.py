"""Opens the commitments of leaves: needs the keys, this host's consent replica and the records the events came in.

Rules: records are read from the source topic while it keeps them, or taken from a file; what is given out is checked
against the leaf first, so a wrong record, another subject and a salt that was made anew open nothing. Nothing opens
after erasure, nor where nobody was known when the event was decided. Identities are looked at and never told.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tamis.domain.audit.opening import Opening, committed_of
from tamis.domain.event import Event
from tamis.domain.identity import SubjectKeys
from tamis.domain.pseudonym import commitment, commitment_key
from tamis.domain.subject import salt_of
from tamis.envelopes.decoder import Decoder
from tamis.kafka.reader import TopicRecord, read_topic
from tamis.ports import ConsentView
from tamis.records.topics import Topic
from tamis.settings import Settings, SetupError

Records = Callable[[int, int], Iterable[tuple[bytes, Any]]]
"""(partition, offset) -> value and headers of records that may be the one there."""


class Openings:
    """Opens leaves of ``audit.log``.

    Args:
        subjects: subject keys.
        consent: the replica.
        decoder: as the workers' own.
        records: finds records.
    """

    def __init__(self, subjects: SubjectKeys, consent: ConsentView, decoder: Decoder, records: Records) -> None:
        self._subjects, self._consent, self._decoder, self._records = subjects, consent, decoder, records

    def of(self, value: bytes) -> Opening | None:
        """What opens a leaf's commitment, None when nothing does."""
        leaf = msgspec.json.decode(value)
        source = leaf["src"]
        if source["t"] != Topic.EVENTS_RAW or not leaf.get("cm") or leaf.get("pid") is None:
            return None
        for record, headers in self._records(source["p"], source["o"]):
            opening = self._try(leaf["cm"], source["i"], record, headers, leaf["ts"])
            if opening is not None:
                return opening
        return None

    def _try(self, cm: str, index: int, record: bytes, headers: Any, received_at: int) -> Opening | None:
        entries = self._decoder.decode(record, headers, received_at)
        if not isinstance(entries, (list, tuple)) or index >= len(entries):
            return None
        event, alone = entries[index], len(entries) == 1
        if not isinstance(event, Event):
            return None
        salt = salt_of(self._consent.get(self._key(event)))
        if not salt:
            return None
        key = commitment_key(salt)
        if commitment(key, committed_of(record, index, alone=alone)) != cm:
            return None
        return Opening(cm=cm, key=key.hex(), index=index, alone=alone)

    def _key(self, event: Event) -> str:
        if event.user_id:
            return self._subjects.person(event.user_id)
        return self._subjects.device(event.anonymous_id) if event.anonymous_id else ""


def kept_records(settings: Settings) -> Records:
    """Records as ``events.raw`` keeps them."""
    topic = settings.topic(Topic.EVENTS_RAW)

    def records(partition: int, offset: int) -> Iterable[tuple[bytes, Any]]:
        try:
            found: TopicRecord | None = next(iter(read_topic(settings.kafka, topic, first={partition: offset})), None)
        except SetupError as error:
            raise SetupError(f"{error}; give the records themselves: --original FILE") from None
        if found is not None and found.offset == offset:
            yield found.value or b"", found.headers

    return records


def given_records(values: Iterable[bytes]) -> Records:
    """Records that somebody brought along, without their headers."""
    known = tuple(values)
    return lambda _partition, _offset: [(value, ()) for value in known]
