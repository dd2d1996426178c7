"""From the facts a vendor's reader found to an event: ids, derived ids, skew, depth.

Rules: an event needs an id of a device, a person or a single id of either (``subject``), except a group's; a track
needs a name, every other event without one is named after its kind; an empty id counts as none. A missing event id is
derived: HMAC-SHA256, 22 characters, over the JSON array of vendor, kind, name, device, person, subject, time as sent
(time of receipt when none was), index in the body and properties.

Skew: where the vendor's specification corrects client clocks by send and receive time, a client that claims to have
sent *after* the record was received is certainly ahead, and its times are set back by the difference. The other
direction is not corrected: between client and Kafka a record may wait, and a wait looks like a slow clock
(docs/adr/0013).

A ``subject`` is one id that nothing tells to be a person's or a device's. It is no identity unless the operator says
which it is (setting ``envelopes.single_id``); the event is then denied for want of a subject.
"""

from typing import Any, Self

import msgspec

from tamis.domain.event import Event, InlineConsent, Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import nesting, refusal
from tamis.envelopes.envelope import Entry, SingleId, Workbench
from tamis.envelopes.reading import Id
from tamis.envelopes.stamp import MILLISECOND

_encode = msgspec.json.Encoder().encode


class Moment(int):
    """Milliseconds since the epoch that remember the microseconds a client sent; for showing, never encoded."""

    micros: int

    def __new__(cls, micros: int) -> Self:
        """From microseconds since the epoch."""
        made = super().__new__(cls, micros // MILLISECOND)
        made.micros = micros
        return made


class Draft(msgspec.Struct, kw_only=True):
    """Facts of one event, as sent.

    Attributes:
        vendor, kind: see ``Event``.
        name: the vendor's name of the event, None when it has none.
        event_id: None when none was sent.
        occurred_at, sent_at: microseconds since the epoch.
        device, person: ids.
        subject: a single id of unknown type.
        properties, context: see ``Event``.
        consent: see ``Event``.
        skewed: the vendor's specification corrects client clocks.
        name_path, id_path: where a missing name or id would stand.
    """

    vendor: str
    kind: Kind = Kind.TRACK
    name: str | None = None
    event_id: Id | None = None
    occurred_at: int | None = None
    sent_at: int | None = None
    device: Id | None = None
    person: Id | None = None
    subject: Id | None = None
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    consent: InlineConsent | None = None
    skewed: bool = False
    name_path: str = "$"
    id_path: str = "$"

    def __repr__(self) -> str:
        return f"<Draft {self.vendor} {self.kind}>"


def finish(bench: Workbench, draft: Draft, received_at: int, index: int) -> Entry:
    """The event, or why it is none."""
    if draft.device is None and draft.person is None and draft.subject is None and draft.kind is not Kind.GROUP:
        return refusal.refuse(InvalidReason.MISSING_FIELD, draft.id_path)
    if not draft.name and draft.kind is Kind.TRACK:
        return refusal.refuse(InvalidReason.MISSING_FIELD, draft.name_path)
    levels = bench.limits.max_depth - 1
    if nesting.exceeds(draft.properties, levels) or nesting.exceeds(draft.context, levels):
        return Invalid(InvalidReason.TOO_DEEP.value)
    device, person, context = draft.device, draft.person, draft.context
    if draft.subject is not None:
        context = context | {"subject": draft.subject} if bench.as_sent else context
        if device is None and person is None:
            device = draft.subject if bench.single_id is SingleId.DEVICE else None
            person = draft.subject if bench.single_id is SingleId.PERSON else None
    stated, corrected = draft.occurred_at, _unskewed(bench, draft, received_at)
    return Event(
        _derived(bench, draft, received_at, index) if draft.event_id is None else str(draft.event_id),
        draft.kind.value,
        draft.name or draft.kind.value,
        _moment(bench, corrected),
        _moment(bench, draft.sent_at),
        None if device is None else bench.ids[device],
        None if person is None else bench.ids[person],
        draft.properties,
        context,
        draft.consent,
        draft.vendor,
        draft.event_id is None,
        set_back=0 if stated is None or corrected is None else stated // MILLISECOND - corrected // MILLISECOND,
    )


def _moment(bench: Workbench, micros: int | None) -> int | None:
    if micros is None:
        return None
    return Moment(micros) if bench.as_sent else micros // MILLISECOND


def _unskewed(bench: Workbench, draft: Draft, received_at: int) -> int | None:
    if draft.occurred_at is None or draft.sent_at is None or not draft.skewed or bench.as_sent:
        return draft.occurred_at
    ahead = draft.sent_at - received_at * MILLISECOND
    return max(0, draft.occurred_at - ahead) if ahead > 0 else draft.occurred_at


def _derived(bench: Workbench, draft: Draft, received_at: int, index: int) -> str:
    time = received_at if draft.occurred_at is None else draft.occurred_at
    who = draft.device, draft.person, draft.subject
    return bench.derive_id(_encode((draft.vendor, draft.kind.value, draft.name, *who, time, index, draft.properties)))
