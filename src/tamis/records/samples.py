"""Samples of a batch, written beside what leaves for the destinations.

Rules: an event that was decided is in a batch's samples once when it is drawn; what was refused is not. Pseudonyms that
a destination's list makes of its fields are not in a sample.
"""

from collections.abc import Iterable
from typing import Any

from tamis.domain.bundle import Bundle
from tamis.domain.keyring import Keyring
from tamis.domain.outcome import Outcome
from tamis.domain.sampling import Sampler, hour_of
from tamis.records.batch import Record
from tamis.records.dispatch import Dispatch, Outgoing
from tamis.records.outbox import Outbox
from tamis.records.review import Sample, encode_review
from tamis.records.topics import Topic
from tamis.records.waiting import Case, Decision


class SampledDispatch(Dispatch):
    """A ``Dispatch`` that also writes samples.

    Args:
        bundle: whose destinations.
        keys: their keys.
        sampler: chooses, for the same bundle.
    """

    __slots__ = ("_sampler",)

    def __init__(self, bundle: Bundle, keys: Keyring, sampler: Sampler) -> None:
        super().__init__(bundle, keys)
        self._sampler = sampler

    def begin(self, partition: int) -> Outgoing:
        """See ``Dispatch.begin``."""
        boxes = tuple(Outbox(event_ids, proofs) for event_ids, proofs in self._keys)
        return SampledOutgoing(partition, self._destinations, boxes, self._topics, self._sampler)


class SampledOutgoing(Outgoing):
    """What leaves of one batch, and its samples; made by ``SampledDispatch``."""

    __slots__ = ("_sampler", "_samples")

    def __init__(
        self,
        partition: int,
        destinations: tuple[Any, ...],
        boxes: tuple[Outbox, ...],
        topics: tuple[str, ...],
        sampler: Sampler,
    ) -> None:
        super().__init__(partition, destinations, boxes, topics)
        self._sampler = sampler
        self._samples: list[Record] = []

    def send(self, cases: Iterable[Case], decisions: Iterable[Decision], tags: Iterable[bytes]) -> None:
        """See ``Outgoing.send``."""
        cases, decisions, tags = list(cases), list(decisions), list(tags)
        super().send(cases, decisions, tags)
        for n in self._sampler.drawn([decision[0] for decision in decisions], tags):
            if decisions[n][3].outcome != Outcome.INVALID:
                self._samples.append(self._sample(cases[n], decisions[n]))

    def records(self) -> dict[str, list[Record]]:
        """See ``Outgoing.records``; the samples are there too."""
        return super().records() | {Topic.REVIEW_SAMPLES.value: self._samples}

    def _sample(self, case: Case, decision: Decision) -> Record:
        _, offset, index, _, occurred_at, _, event = case
        plan, _, _, standing = decision
        sampler, position = self._sampler, f"{Topic.EVENTS_RAW.value}/{self._partition}/{offset}/{index}"
        chosen = sampler.look(event, plan, standing, position)
        sample = Sample(
            id=chosen.id, position=position, hour=hour_of(occurred_at), per_million=chosen.per_million,
            bundle=sampler.bundle, site=chosen.site, kind=event.kind, rule=plan.rule, stage=plan.stage,
            name=chosen.name, fields=sampler.project(event) if chosen.shows and sampler.project is not None else {},
        )  # fmt: skip
        return chosen.id.encode(), encode_review(sample)
