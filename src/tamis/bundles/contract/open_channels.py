"""Channels whose values are no record types of ours: consent statements as they come in, and the audit logs.

Rules: what a topic holds is said as far as readers rely on it; a body of a consent tool stands as it was sent. Which
forms are read: ``consent_sources``; leaves and heads: ``domain.audit``.
"""

from collections.abc import Iterator, Mapping

from tamis.bundles.contract.record_schemas import Schema, schema_of
from tamis.domain.audit.leaf import Head
from tamis.domain.consent.model import Status
from tamis.domain.outcome import HeldOutcome, Outcome
from tamis.records.review import Label
from tamis.records.topics import TopicSpec

_MOMENT: Schema = {"type": ["string", "integer"], "description": "RFC 3339 with a zone, or milliseconds"}
_ID: Schema = {"type": ["string", "integer"]}
_LOGS = ("audit.log", "audit.held", "audit.held.last")
_FATES = sorted({*map(str, Outcome), *map(str, HeldOutcome)})

Payload = tuple[str, Schema]
"""Content type and schema."""


OpenChannel = tuple[str, str, bool, dict[str, Payload]]
"""Topic, sentence for people, whether tamis writes it, and its messages by name."""


def open_channels(purposes: Mapping[str, str], specs: Mapping[str, TopicSpec]) -> Iterator[OpenChannel]:
    """All of them.

    Args:
        purposes: vendor's word -> purpose (``Policy.aliases``).
        specs: the topics there are.
    """
    statements = {
        "canonical": ("application/json", canonical_schema(purposes)),
        "anyConsentTool": ("application/octet-stream", {"description": "A consent tool's payload, unchanged."}),
    }
    yield "consent.raw", "Consent statements: the canonical form, or what a consent tool sends.", False, statements
    label = {"label": ("application/json", schema_of(Label))}
    yield "review.labels", "What people say of sampled events.", False, label
    for name in _LOGS:
        if name in specs:
            messages = {"leaf": ("application/json", leaf_schema()), "head": ("application/json", schema_of(Head))}
            about = "One leaf an event, then a head (record header type=head); one RFC 6962 log a partition."
            yield name, about, True, messages
    note = {"type": "string", "description": "a C2SP signed note"}
    about = "Checkpoints of the logs, signed by the sealer and by witnesses."
    yield "audit.checkpoints", about, True, {"checkpoint": ("text/plain", note)}
    control = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    yield "audit.control", "Keys, epochs, receipts: leaves of a log of its own.", True, {
        "leaf": ("application/json", control)
    }  # fmt: skip


def canonical_schema(purposes: Mapping[str, str]) -> Schema:
    """The canonical form of a consent statement (docs/consent-canonical-form.md)."""
    known = ", ".join(sorted(set(purposes.values())))
    words = sorted(map(str, Status))
    return {
        "title": "Consent statement",
        "type": "object",
        "required": ["type", "identity", "choices", "effective_at"],
        "properties": {
            "type": {"type": "string", "enum": ["consent"]},
            "identity": {
                "type": "object",
                "description": "the ids that events carry; at least one of them",
                "properties": {"person": _ID, "device": _ID},
                "anyOf": [{"required": ["person"]}, {"required": ["device"]}],
            },
            "choices": {
                "type": "object",
                "description": f"a purpose ({known}) or one of its aliases; any other word is a refusal",
                "additionalProperties": {"type": "string", "enum": words},
            },
            "effective_at": {**_MOMENT, "description": f"when the person chose: {_MOMENT['description']}"},
            "expires_at": _MOMENT,
            "regulation": {"type": "string"},
            "seq": {"type": "integer", "minimum": 0},
            "source": {"type": "string"},
            "notice": {"type": "string"},
            "authenticated": {"type": "boolean"},
        },
    }


def leaf_schema() -> Schema:
    """The leaf of an event; leaves that stand for no event (gaps, openings) have ``kind`` instead of ``out``."""
    number: Schema = {"type": "integer"}
    text: Schema = {"type": "string"}
    return {
        "title": "Leaf",
        "type": "object",
        "required": ["v"],
        "properties": {
            "at": {**number, "description": "time of the event, ms"},
            "bundle": {**text, "description": "hash of the rules it was decided under"},
            "cm": {**text, "description": "keyed commitment to the event's bytes"},
            "dest": {"type": "object", "description": "destination to reason", "additionalProperties": text},
            "eid": {**text, "description": "keyed event id"},
            "facts": {"type": "object", "description": "what the decision was taken on"},
            "inline": {"type": ["string", "object"], "description": "what the event itself says"},
            "out": {**text, "enum": _FATES},
            "pid": {"type": ["string", "null"], "description": "pseudonym for the audit log"},
            "reg": {**text, "description": "regulations that were judged"},
            "rev": {"type": "object", "description": "revisions of the consent records"},
            "rule": {**text, "description": "rule and its version, - for none"},
            "seq": {**number, "description": "index in the tree"},
            "src": {"type": "object", "description": "topic, partition, offset, index of the input"},
            "ts": {**number, "description": "time of receipt, ms"},
            "v": number,
            "why": {**text, "description": "reason"},
        },
    }
