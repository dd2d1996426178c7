"""What leaves for the destinations: one record for each one that an event's standing lists, and for no other.

Rules: fields are those of the destination's list; its time is as coarse as the destination asks; a name is told only if
the rule lists it. Some hundred events are encoded at once (``records.outbox``). What came too late for a destination is
listed for people to look at (``records.late``).
"""

from collections.abc import Iterable
from typing import Any

from tamis.domain.bundle import Bundle
from tamis.domain.experiment import NO_TRIAL
from tamis.domain.keyring import Keyring
from tamis.domain.minimise.pseudonymise import veil_of
from tamis.domain.pseudonym import position_block
from tamis.records.batch import Record
from tamis.records.late import late_record
from tamis.records.outbox import Outbox
from tamis.records.topics import Topic
from tamis.records.waiting import Case, Decision


class Dispatch:
    """The destinations of a bundle.

    Args:
        bundle: whose destinations.
        keys: their keys.
    """

    __slots__ = ("_destinations", "_keys", "_topics")

    def __init__(self, bundle: Bundle, keys: Keyring) -> None:
        self._keys = tuple(zip(keys.event_ids, keys.proofs, strict=True))
        self._topics = tuple(each.topic for each in bundle.destinations)
        self._destinations = tuple((each.project, each.time_bucket_ms, veil_of(each)) for each in bundle.destinations)

    def begin(self, partition: int) -> "Outgoing":
        """What leaves of one batch of a source partition."""
        boxes = tuple(Outbox(event_ids, proofs) for event_ids, proofs in self._keys)
        return Outgoing(partition, self._destinations, boxes, self._topics)


class Outgoing:
    """Collects what leaves of one batch; made by ``Dispatch``."""

    __slots__ = ("_boxes", "_destinations", "_late", "_partition", "_topics")

    def __init__(
        self, partition: int, destinations: tuple[Any, ...], boxes: tuple[Outbox, ...], topics: tuple[str, ...]
    ) -> None:
        self._partition, self._destinations, self._boxes, self._topics = partition, destinations, boxes, topics
        self._late: list[Record] = []

    def send(self, cases: Iterable[Case], decisions: Iterable[Decision], tags: Iterable[bytes]) -> None:
        """Takes decided events in, with their tags."""
        destinations, boxes, partition = self._destinations, self._boxes, self._partition
        for (_, offset, index, now, occurred_at, _, event), (plan, value, subject, standing), tag in zip(
            cases, decisions, tags, strict=True
        ):
            route = plan.route
            if now - occurred_at > route.max_lateness_ms and route.legs:
                place = f"{Topic.EVENTS_RAW.value}/{partition}/{offset}/{index}"
                self._late.append(late_record(tag, place, plan.rule, route, occurred_at, now))
            if not standing.sends:
                continue
            position = position_block(partition, offset, index)
            name = event.name if event.name in plan.names else event.kind
            trial = NO_TRIAL if plan.trial is None else plan.trial(event)
            for send in standing.sends:
                (project, bucket_ms, veil), box = destinations[send.number], boxes[send.number]
                at, fields = occurred_at - occurred_at % bucket_ms, project(event)
                if veil is not None:
                    veil.add(event, subject, fields)
                box.add((tag, position, send.pseudonym, name, plan.rule, plan.stage, value, at, fields, trial,
                         send.previous, standing.bot))  # fmt: skip
        for box in boxes:
            box.encode()

    def records(self) -> dict[str, list[Record]]:
        """Topic -> records in order; every destination's topic is there."""
        found = {topic: box.records() for topic, box in zip(self._topics, self._boxes, strict=True)}
        return found | {Topic.REVIEW_LATE.value: self._late}
