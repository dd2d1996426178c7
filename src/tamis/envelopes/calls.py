"""Calls in the form of the analytics.js specification: track, page, screen, identify, group, alias, and batches.

Rules: a call's kind is its ``type`` (a screen is a page), or the last part of the posted address when the body has
none; a track needs an event name, every call an id of a person or device (a placeholder counts as sent: the event then
has no subject). Consent signals of all dialects are read whoever sent them, and a no in any of them wins. Calls without
a name of their own are named after their kind. A group's ``groupId`` and an alias's ``previousId`` are properties.
Items of a batch inherit the batch's ``context`` and ``sentAt`` (Segment HTTP API, "Batch").
Skew: Segment's and RudderStack's specification is ``timestamp = receivedAt - (sentAt - originalTimestamp)``; of it a
call that was sent after the record was received is set back by the difference (docs/adr/0023). One that names
``receivedAt`` has passed the vendor's servers, which corrected ``timestamp``.
Not handled here: what a consent category means (policy).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from tamis.domain.event import Event, InlineConsent, Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import nesting, refusal
from tamis.envelopes.dialect import FLAT_DEPTH, Call, Dialect, read_call, read_flat_call
from tamis.envelopes.envelope import Entries, Entry, Headers, Workbench
from tamis.envelopes.fields import KINDS, TRACK, kind_of_address, looks_like_call, name_of, properties_of, stricter
from tamis.envelopes.instant import parse

_NOTHING: Final[dict[str, Any]] = {}
_NO_EVENT = refusal.refuse(InvalidReason.MISSING_FIELD, "$.event")
_NO_ID = refusal.refuse(InvalidReason.MISSING_FIELD, "$.anonymousId")
_NO_TYPE = refusal.refuse(InvalidReason.MISSING_FIELD, "$.type")
_OTHER_TYPE = refusal.refuse(InvalidReason.UNKNOWN_ENVELOPE, "$.type")
_EMPTY_BATCH = refusal.refuse(InvalidReason.EMPTY, "$.batch")
_TOO_MANY = refusal.refuse(InvalidReason.TOO_MANY_EVENTS, "$.batch")
_BAD_TIMESTAMP = refusal.refuse(InvalidReason.BAD_TIME, "$.timestamp")
_BAD_ORIGINAL = refusal.refuse(InvalidReason.BAD_TIME, "$.originalTimestamp")
_DEEP_PROPERTIES = refusal.refuse(InvalidReason.TOO_DEEP, "$.properties")
_DEEP_CONTEXT = refusal.refuse(InvalidReason.TOO_DEEP, "$.context")

_encode = msgspec.json.Encoder().encode


class Calls:
    """Decodes calls of the given dialects.

    Args:
        bench: limits and derived ids.
        dialects: candidates; the first that recognises a call wins, the last one takes what is left.
        readers: dialects whose consent signal is read.
        sure: the topic is known to hold nothing else, so any other body is refused here.
    """

    __slots__ = ("_as_sent", "_bench", "_first", "_ids", "_last", "_measure", "_read", "_readers", "_sure")

    def __init__(
        self, bench: Workbench, dialects: tuple[Dialect, ...], readers: tuple[Dialect, ...], *, sure: bool = False
    ) -> None:
        self._bench = bench
        self._first = tuple((dialect.recognises, dialect) for dialect in dialects[:-1])
        self._last = dialects[-1]
        self._readers = tuple((dialect.consent_key, dialect.read_consent) for dialect in readers)
        self._sure = sure
        self._measure = bench.limits.max_depth < FLAT_DEPTH
        self._read: Callable[[bytes], Call] = read_call if self._measure else read_flat_call
        self._ids = bench.ids
        self._as_sent = bench.as_sent

    def decode(self, value: bytes, headers: Headers, received_at: int) -> Entries | None:
        """See ``Envelope.decode``."""
        measure = self._measure
        try:
            try:
                call = self._read(value)
            except msgspec.ValidationError:
                call = read_call(value)
                measure = True
        except msgspec.ValidationError as error:
            return refusal.wrong_type(error) if self._sure or looks_like_call(value) else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if call.batch is not None:
            return self._batch(call, call.batch, received_at)
        kind = KINDS.get(call.type) if call.type is not None else kind_of_address(headers)
        if kind is None:
            return (_OTHER_TYPE if call.type is not None else _NO_TYPE) if self._sure else None
        deep = self._too_deep(call, call.context) if measure else None
        return [deep or self._event(call, kind, call.context or _NOTHING, call.sentAt, received_at, 0, value)]

    def _batch(self, batch: Call, items: list[msgspec.Raw], received_at: int) -> Entries | None:
        if not items:
            return _EMPTY_BATCH
        if not (self._sure or any(looks_like_call(item) for item in items)):
            return None
        if len(items) > self._bench.limits.max_events_per_record:
            return _TOO_MANY
        entries: list[Entry] = []
        for index, item in enumerate(items):
            entry = self._item(item, batch, received_at, index)
            entries.append(refusal.below(f"$.batch[{index}]", entry) if isinstance(entry, Invalid) else entry)
        return entries

    def _item(self, item: msgspec.Raw, batch: Call, received_at: int, index: int) -> Entry:
        try:
            call = read_call(item)
        except msgspec.ValidationError as error:
            return refusal.wrong_type(error)
        except RecursionError:
            return refusal.TOO_DEEP
        except (msgspec.DecodeError, UnicodeDecodeError):
            return refusal.NOT_JSON
        kind = KINDS.get(call.type) if call.type is not None else None
        if kind is None:
            return _NO_TYPE if call.type is None else _OTHER_TYPE
        context = (batch.context or _NOTHING) | (call.context or _NOTHING)
        sent_at = batch.sentAt if call.sentAt is None else call.sentAt
        deep = self._too_deep(call, context)
        return deep or self._event(call, kind, context, sent_at, received_at, index, bytes(item))

    def _event(
        self, call: Call, kind: str, context: dict[str, Any], sent_at: Any, received_at: int, index: int, content: bytes
    ) -> Entry:
        device, person = call.anonymousId, call.userId
        if not device and not person and device != 0 and person != 0:
            return _NO_ID
        dialect = self._dialect(call)
        text = call.timestamp
        sent = occurred_at = parse(text) if text is not None and call.originalTimestamp is None else None
        if occurred_at is None:
            found = _occurred_at(call, dialect.original_first and call.receivedAt is None)
            if isinstance(found, Invalid):
                return found
            occurred_at = found
        if sent is None or sent_at != text:
            sent = parse(sent_at) if type(sent_at) is str else None
        if sent is not None and sent > received_at:  # the client's clock is ahead: docs/adr/0013 and 0023
            occurred_at = self._set_back(call, dialect, occurred_at, sent - received_at)
        track = kind is TRACK
        properties = (call.properties or _NOTHING) if track else properties_of(call, kind)
        name = call.event if track else name_of(call, kind, properties) if dialect.named_pages else kind
        if not name:
            return _NO_EVENT
        event_id = call.messageId
        derived = event_id is None or event_id == ""
        return Event(
            self._derived(dialect.vendor, call, properties, received_at, index) if derived else str(event_id),
            kind,
            name,
            occurred_at,
            sent,
            None if device is None else self._ids[device],
            None if person is None else self._ids[person],
            properties,
            context,
            self._consent(context) if context else None,
            dialect.vendor,
            derived,
            content,
        )

    def _dialect(self, call: Call) -> Dialect:
        for recognises, candidate in self._first:
            if recognises(call):
                return candidate
        return self._last

    def _set_back(self, call: Call, dialect: Dialect, occurred_at: int | None, ahead: int) -> int | None:
        if occurred_at is None or not dialect.skewed or self._as_sent or call.receivedAt is not None:
            return occurred_at
        return max(0, occurred_at - ahead)

    def _too_deep(self, call: Call, context: dict[str, Any] | None) -> Invalid | None:
        """Asked before anything is made of a call: what can just be read may be too deep to be written."""
        levels = self._bench.limits.max_depth - 1
        if nesting.exceeds(call.properties, levels) or nesting.exceeds(call.traits, levels):
            return _DEEP_PROPERTIES
        return _DEEP_CONTEXT if nesting.exceeds(context, levels) else None

    def _consent(self, context: dict[str, Any]) -> InlineConsent | None:
        merged: InlineConsent | None = None
        for key, read in self._readers:
            signal = context.get(key)
            if signal is not None:
                found = read(signal)
                merged = found if merged is None else stricter(merged, found)
        return merged

    def _derived(self, vendor: str, call: Call, properties: dict[str, Any], received_at: int, index: int) -> str:
        time = call.timestamp or call.originalTimestamp or received_at
        return self._bench.derive_id(
            _encode((vendor, call.type, call.event, call.name, call.anonymousId, call.userId, time, index, properties))
        )


def _occurred_at(call: Call, original_first: bool) -> int | Invalid | None:
    text, original = call.timestamp, call.originalTimestamp
    if original is not None and (original_first or text is None):
        found = parse(original)
        return _BAD_ORIGINAL if found is None else found
    if text is None:
        return None
    found = parse(text)
    return _BAD_TIMESTAMP if found is None else found
