"""Values of ``events.clean``, ``crm.<destination>`` and ``events.quarantine``.

Rules: no raw identity, no raw event id; every id is keyed per destination, so two destinations cannot join; quarantine
carries positions, closed-vocabulary reasons and ciphertext only.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from tamis.domain.quarantine import QuarantineEntry

__all__ = ["CleanEvent", "QuarantineEntry"]


class CleanEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A minimised event for one destination.

    Attributes:
        v: schema version.
        event_id: keyed per destination; the idempotency key (equal for a producer's repeats of one event).
        proof_id: keyed per destination; names the audit leaf for whoever holds the key.
        subject: ``v1.<domain>.<epoch>.<22 characters>``; also the record key.
        name: event name.
        rule: tagging rule id, "" when untagged.
        stage: conversion stage of the rule.
        value: conversion value.
        occurred_at: ms (bucketed where the destination asks for it).
        fields: allow-listed fields only.
        experiment: id of the experiment the rule's events take part in.
        variant: which of its variants the person saw; only those the rule lists.
        pid_prev: the person's pseudonym of the epoch before, while an overlap of epochs runs: carry what you hold under
            it over to ``subject``.
        bot: why software rather than a person made it: crawler, headless, script or declared; "" for a person.
    """

    event_id: str
    proof_id: str
    subject: str
    name: str
    occurred_at: int
    fields: dict[str, Any]
    rule: str = ""
    stage: str = ""
    value: float | None = None
    experiment: str = ""
    variant: str = ""
    pid_prev: str = ""
    bot: str = ""
    v: int = 1


_ENCODER = msgspec.json.Encoder()
_encode = _ENCODER.encode


def encode_clean(event: CleanEvent) -> bytes:
    """JSON; integers in ``fields`` fit 64 bits (every field action sees to that)."""
    return _encode(event)


def encode_lines(values: Sequence[Any]) -> list[bytes]:
    """JSON of each value, in one call: JSON text holds no line feed, so lines can be taken apart again."""
    return _ENCODER.encode_lines(values).split(b"\n")[:-1]
