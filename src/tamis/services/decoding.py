"""What a producer's request means, as ``tamis decode`` shows it: one object per event, in order.

Rules: the decoder is the workers' own, made to keep ids and times as they were sent; the key of derived ids is a
throw-away one; a body that no envelope knows is given to the consent sources; what cannot be used is an object with
``error`` and ``path``. Identities are in what is shown: it is for the standard output of the person who integrates a
producer, and for nothing else.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tamis.domain.event import Event, Invalid, Kind, Signal
from tamis.domain.identity import canonical
from tamis.domain.outcome import InvalidReason
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.draft import Moment
from tamis.envelopes.envelope import Headers, Limits
from tamis.services.dry_run import throw_away_key
from tamis.services.shown_consent import statements

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS_NAMED: Final = frozenset(("snowplow",))
_WHOLE_MESSAGES: Final = frozenset((InvalidReason.UNKNOWN_ENVELOPE.value, InvalidReason.NOT_JSON.value))


class Showing:
    """Decodes requests for showing.

    Args:
        limits: sizes.
        vendor: the only vendor, None to detect it.

    Raises:
        ValueError: no such vendor.
    """

    __slots__ = ("_decoder", "_detect")

    def __init__(self, limits: Limits | None = None, vendor: str | None = None) -> None:
        self._decoder = Decoder(throw_away_key("event-id"), limits, vendor, as_sent=True)
        self._detect = vendor is None

    def events(self, value: bytes, headers: Headers) -> Iterator[dict[str, Any]]:
        """The fields of each event after ``file`` and ``index``, or ``error`` and ``path``."""
        found = self._decoder.decode(value, headers, 0)
        if isinstance(found, Invalid):
            stated = statements(value, rfc3339) if self._detect and found.reason in _WHOLE_MESSAGES else None
            yield from ([_refused(found)] if stated is None else stated)
            return
        for entry in found:
            yield _refused(entry) if isinstance(entry, Invalid) else shown(entry)


def shown(event: Event) -> dict[str, Any]:
    """One event, fields in the order of the command's documentation."""
    found = {
        "vendor": event.vendor,
        "kind": event.kind,
        "event_id": event.event_id,
        "event_id_derived": event.event_id_derived,
        "name": _own_name(event),
        "occurred_at": rfc3339(event.occurred_at),
        "sent_at": rfc3339(event.sent_at),
        "anonymous_id": event.anonymous_id,
        "user_id": event.user_id,
        "properties": event.properties,
        "context": event.context,
        "consent": consent_of(event),
    }
    ids = (("user_id", event.user_id), ("anonymous_id", event.anonymous_id), ("subject", event.context.get("subject")))
    placeholders = [name for name, sent in ids if sent is not None and canonical(str(sent)) is None]
    return found | ({"placeholder": placeholders} if placeholders else {})


def rfc3339(moment: int | None) -> str | None:
    """Milliseconds since the epoch as RFC 3339, UTC; microseconds where they were sent."""
    if moment is None:
        return None
    micros = moment.micros if isinstance(moment, Moment) else moment * 1000
    at = _EPOCH + timedelta(microseconds=micros)
    precision = "microseconds" if micros % 1000 else "milliseconds"
    return at.isoformat(timespec=precision).replace("+00:00", "Z")


def consent_of(event: Event) -> dict[str, Any] | None:
    """Consent as stated, under the vendor's names; strings and flags that came otherwise under theirs."""
    consent, context = event.consent, event.context
    if consent is None:
        return None
    stated = context.get("consentManagement") or context.get("consent_state")
    if stated is None and event.vendor not in {"segment", "jitsu"}:
        stated = context.get("consent")
    found: dict[str, Any] = dict(stated) if isinstance(stated, dict) else dict(consent.choices)
    flags = dict(consent.signals)
    if flags.pop(Signal.GPC.value, None) is not None:
        found["gpc"] = True
    if not stated:
        found |= flags
    return found | ({"malformed": True} if consent.malformed else {})


def _own_name(event: Event) -> str | None:
    unnamed = event.kind != Kind.TRACK and event.name == event.kind and event.vendor not in _ALWAYS_NAMED
    return None if unnamed else event.name


def _refused(why: Invalid) -> dict[str, Any]:
    return {"error": why.reason, "path": why.path}
