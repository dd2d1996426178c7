"""Consent payloads as ``tamis decode`` shows them: objects of kind ``consent``.

Rules: the payload is read by the consent sources the workers use; statuses are as the source understood them
(``domain.consent.model``): what is no documented yes is no grant; nothing is judged here.
"""

from collections.abc import Callable
from typing import Any

from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.draft import Moment

_reader = ConsentReader()


def statements(value: bytes, rfc3339: Callable[[int | None], str | None]) -> list[dict[str, Any]] | None:
    """What a payload states, one object each.

    Args:
        value: the record's value.
        rfc3339: shows milliseconds since the epoch.

    Returns:
        None when no consent source knows the payload or it states nothing.
    """
    found = _reader.read(value)
    if isinstance(found, Invalid):
        unknown = found.reason in {InvalidReason.UNKNOWN_ENVELOPE, InvalidReason.NOT_JSON, InvalidReason.WRONG_TYPE}
        return None if unknown else [{"error": str(found.reason), "path": found.path}]
    return [
        {"error": str(entry.reason), "path": entry.path} if isinstance(entry, Invalid) else _shown(entry, rfc3339)
        for entry in found
    ] or None


def _shown(entry: Statement, rfc3339: Callable[[int | None], str | None]) -> dict[str, Any]:
    facts = {
        "vendors": {name: _word(status) for name, status in entry.vendors.items()} or None,
        "legal_basis": entry.legal_basis or None,
        "regulation": entry.regulation,
        "jurisdiction": entry.jurisdiction,
        "gpc": entry.gpc,
        "preference": entry.preference,
        "expires_at": rfc3339(entry.expires_at),
        "notice": entry.notice,
    }
    purposes = {name: "unknown" if name in entry.unclear else _word(status) for name, status in entry.choices.items()}
    return {
        "vendor": entry.source,
        "kind": Kind.CONSENT.value,
        "event_id": entry.event_id,
        "event_id_derived": False,
        "name": None,
        "occurred_at": rfc3339(entry.effective_at if entry.micros is None else Moment(entry.micros)),
        "sent_at": None,
        "anonymous_id": entry.device,
        "user_id": entry.person,
        "properties": {},
        "context": {},
        "consent": {"purposes": purposes} | {key: fact for key, fact in facts.items() if fact is not None},
    }


def _word(status: Status) -> str:
    return "granted" if status is Status.GRANTED else "denied"
