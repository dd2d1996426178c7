"""The records of one destination in one batch: collected event by event, keyed and encoded some hundred at a time.

Rules: one record for each event added, in order; ids are keyed per destination. Values are byte for byte what
``encode_clean`` gives; what repeats from record to record is rendered once. Encoding soon after the events were decoded
finds them in the processor's cache.
"""

from typing import Any

import msgspec

from tamis.domain.experiment import NO_TRIAL, Trial
from tamis.domain.pseudonym import EventIds, ProofIds, tokens_of
from tamis.records.outputs import encode_lines

Row = tuple[bytes, bytes, str, str, str, str, float | None, int, dict[str, Any], Trial, str, str]
"""tag, source position (16 bytes each), then pseudonym, name, rule, stage, value, occurred_at, fields, (experiment,
variant), pid_prev, bot as in ``CleanEvent``."""

_encode = msgspec.json.Encoder().encode


class Outbox:
    """Collects what one destination gets of one batch.

    Args:
        event_ids: makes the destination's event ids.
        proofs: makes its proof ids.

    Attributes:
        add: takes one event's ``Row``.
    """

    __slots__ = ("_event_ids", "_names", "_proofs", "_records", "_rows", "_tags", "add")

    def __init__(self, event_ids: EventIds, proofs: ProofIds) -> None:
        self._event_ids = event_ids
        self._proofs = proofs
        self._rows: list[Row] = []
        self._records: list[tuple[bytes | None, bytes]] = []
        self._names: dict[str, bytes] = {}
        self._tags: dict[tuple[str, str], bytes] = {("", ""): b""}
        self.add = self._rows.append

    def encode(self) -> None:
        """Turns what was added since the last call into records."""
        rows, add = self._rows, self._records.append
        if not rows:
            return
        event_ids = tokens_of(self._event_ids.encipher([row[0] for row in rows]))
        proof_ids = tokens_of(self._proofs.encipher([row[1] for row in rows]))
        fields = encode_lines([row[8] for row in rows])
        names, tags = self._names, self._tags
        place = 0
        for _, _, subject, name, rule, stage, value, occurred_at, _, trial, previous, bot in rows:
            key = subject.encode()
            add((
                key,
                b'{"event_id":"%b","proof_id":"%b","subject":"%b","name":%b,"occurred_at":%d,"fields":%b%b%b}' % (
                    event_ids[place], proof_ids[place], key, names.get(name) or self._name(name), occurred_at,
                    fields[place], tags[rule, stage] if (rule, stage) in tags else self._tag(rule, stage),
                    b"" if value is None and trial is NO_TRIAL and not previous and not bot
                    else _tail(value, trial, previous, bot),
                ),
            ))  # fmt: skip
            place += 1  # noqa: SIM113 - enumerate would make one more object a record
        rows.clear()

    def records(self) -> list[tuple[bytes | None, bytes]]:
        """Key and value of each event's record."""
        self.encode()
        return self._records

    def _name(self, name: str) -> bytes:
        """Names are those that rules list, and kinds of call."""
        text = self._names[name] = _encode(name)
        return text

    def _tag(self, rule: str, stage: str) -> bytes:
        text = self._tags[rule, stage] = _members(("rule", rule), ("stage", stage))
        return text


def _tail(value: float | None, trial: Trial, previous: str, bot: str) -> bytes:
    worth = b"" if value is None else b',"value":' + _encode(value)
    return worth + _members(("experiment", trial[0]), ("variant", trial[1]), ("pid_prev", previous), ("bot", bot))


def _members(*members: tuple[str, str]) -> bytes:
    return b"".join(b',"%b":%b' % (name.encode(), _encode(text)) for name, text in members if text)
