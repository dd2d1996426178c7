"""The records of one destination in one batch: collected event by event, keyed and encoded at once.

Rules: one record for each event added, in order; ids are keyed per destination. Keying and encoding a batch in a few
calls costs a third of doing it record by record.
"""

from typing import Any

from tamis.domain.experiment import Trial
from tamis.domain.pseudonym import EventIds, ProofIds, texts_of
from tamis.records.outputs import CleanEvent, encode_all

Row = tuple[str, str, str, str, float | None, int, dict[str, Any], Trial]
"""pseudonym, name, rule, stage, value, occurred_at, fields, (experiment, variant): as in ``CleanEvent``."""


class Outbox:
    """Collects what one destination gets of one batch.

    Args:
        event_ids: makes the destination's event ids.
        proofs: makes its proof ids.
    """

    __slots__ = ("_event_ids", "_positions", "_proofs", "_rows", "_tags")

    def __init__(self, event_ids: EventIds, proofs: ProofIds) -> None:
        self._event_ids = event_ids
        self._proofs = proofs
        self._rows: list[Row] = []
        self._tags: list[bytes] = []
        self._positions: list[bytes] = []

    def add(self, tag: bytes, position: bytes, row: Row) -> None:
        """One event: its tag, its source position (16 bytes each) and the rest of its record."""
        self._rows.append(row)
        self._tags.append(tag)
        self._positions.append(position)

    def records(self) -> list[tuple[bytes | None, bytes]]:
        """Key and value of each event's record."""
        if not self._rows:
            return []
        event_ids = texts_of(self._event_ids.encipher(self._tags))
        proof_ids = texts_of(self._proofs.encipher(self._positions))
        values = encode_all(
            [
                CleanEvent(
                    event_id=event_id,
                    proof_id=proof_id,
                    subject=subject,
                    name=name,
                    rule=rule,
                    stage=stage,
                    value=value,
                    occurred_at=occurred_at,
                    fields=fields,
                    experiment=trial[0],
                    variant=trial[1],
                )
                for event_id, proof_id, (subject, name, rule, stage, value, occurred_at, fields, trial) in zip(
                    event_ids, proof_ids, self._rows, strict=True
                )
            ]
        )
        return [(row[0].encode(), value) for row, value in zip(self._rows, values, strict=True)]
