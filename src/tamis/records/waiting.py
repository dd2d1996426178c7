"""The events of one batch that are held: sealed for ``events.held``, and the first sights among their subjects.

Rules: only an event whose decision is "held" waits; one that cannot be sealed is denied instead, before its leaf is
written; each record cites its leaf by log, index and hash; a subject without a record is announced once a batch, by
subject key alone, unless the event is a bot's. Not handled here: when holding is asked for (``consent.case``).
"""

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.consent.model import FirstSight
from tamis.domain.event import Event
from tamis.domain.held import HeldEvent, HeldKeys, encode_event
from tamis.domain.outcome import Outcome
from tamis.domain.plan import Plan
from tamis.domain.standing import Standing, restated
from tamis.domain.subject import Subject, salt_of
from tamis.records.topics import Topic

_HELD = Outcome.HELD.value
_DENIED = Outcome.DENIED.value
Case = tuple[int, int, int, int, int, bytes, Event]
"""As ``intake`` has it: place among the leaves, offset, index, received_at, occurred_at, committed bytes, event."""
Decision = tuple[Plan, float | None, Subject, Standing]


class WaitingRoom:
    """Collects them.

    Args:
        keys: seal events.
        origin: of the audit log that has their leaves.
        partition: of ``events.raw``.

    Attributes:
        records: key and value of each held event, in order.
        keyed: topic -> key and value of each announcement.
    """

    __slots__ = ("_keys", "_origin", "_partition", "_sealable", "_seen", "keyed", "records")

    def __init__(self, keys: HeldKeys, origin: str, partition: int) -> None:
        self._keys, self._origin, self._partition = keys, origin, partition
        self._sealable: dict[int, bytes] = {}
        self._seen: set[str] = set()
        self.records: list[tuple[bytes | None, bytes]] = []
        self.keyed: dict[str, list[tuple[bytes | None, bytes]]] = {}

    def admit(self, cases: Sequence[Case], decisions: list[Decision]) -> list[Decision]:
        """The decisions, in which nothing is held that cannot be."""
        if _HELD not in [standing.outcome for _, _, _, standing in decisions]:
            return decisions
        return [self._admit(case, decision) for case, decision in zip(cases, decisions, strict=True)]

    def _admit(self, case: Case, decision: Decision) -> Decision:
        plan, value, subject, standing = decision
        if standing.outcome != _HELD:
            return decision
        plaintext = encode_event(case[-1])
        if plaintext is None:
            return plan, value, subject, restated(standing, _DENIED, standing.reason)
        self._sealable[case[0]] = plaintext
        return decision

    def keep(self, cases: Sequence[Case], decisions: Sequence[Decision], leaves: Sequence[bytes], seq: int) -> None:
        """Seals what was admitted; ``leaves`` has their leaves, the first of which has index ``seq``."""
        if not self._sealable:
            return
        for case, (plan, _, subject, standing) in zip(cases, decisions, strict=True):
            place, offset, index, now, occurred_at, _, _ = case
            plaintext = self._sealable.get(place)
            if plaintext is None:
                continue
            entry = HeldEvent(
                partition=self._partition, offset=offset, index=index, received_at=now, occurred_at=occurred_at,
                log=self._origin, seq=seq + place, leaf=b64encode(leaf_hashes([leaves[place]])[0]).decode(),
                rule=plan.rule if plan.in_session else "",
            )  # fmt: skip
            key = subject.key.encode()
            self.records.append((key, self._keys.seal(plaintext, entry, subject.key, salt_of(subject.primary))))
            if subject.primary is None and not standing.bot:  # software is no data subject
                self._announce(subject, now)
        self._sealable.clear()

    def _announce(self, subject: Subject, now: int) -> None:
        if subject.key not in self._seen:
            self._seen.add(subject.key)
            sight = FirstSight(subject=subject.key, identity=subject.roles[0], at=now)
            self.keyed.setdefault(Topic.CONSENT_CHANGES, []).append((subject.key.encode(), msgspec.json.encode(sight)))
