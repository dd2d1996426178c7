"""Values of ``events.clean``, ``crm.<destination>`` and ``events.quarantine``.

Rules: no raw identity, no raw event id; every id is keyed per destination, so two destinations cannot join; quarantine
carries positions, closed-vocabulary reasons and ciphertext only.
"""

from typing import Any

import msgspec


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
    v: int = 1


class QuarantineEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why an event was refused; the original only as AES-256-GCM ciphertext.

    Attributes:
        stage: "decode" or "validate".
        reason: ``domain.outcome.InvalidReason``.
        path: JSON path without sender-chosen keys.
        message: safe text for the producer.
        topic, partition, offset, index: source position of the event.
        received_at: ms.
        size: bytes of the original.
        key_id: label of the key that opens ``sealed``.
        sealed: base64 of nonce || ciphertext || tag; a prefix of the original when ``truncated``.
        truncated: only the first bytes were kept.
    """

    stage: str
    reason: str
    path: str
    message: str
    topic: str
    partition: int
    offset: int
    index: int
    received_at: int
    size: int
    key_id: str
    sealed: str
    truncated: bool = False
