"""One behavioural event as the core sees it, whatever SDK sent it.

Rules: an event is immutable; every identity is a non-empty string or None; placeholder ids are already None
(``domain.identity``); times are milliseconds since the epoch, UTC. Envelopes build events, nothing else does.
Not handled here: what an event may be used for (``domain.decide``).
"""

from enum import StrEnum
from typing import Any

import msgspec

from tamis.domain.session import Session


class Kind(StrEnum):
    """What call of the producer's SDK made the event."""

    TRACK = "track"
    PAGE = "page"
    IDENTIFY = "identify"
    GROUP = "group"
    ALIAS = "alias"
    CONSENT = "consent"
    AUTO = "auto"


class Signal(StrEnum):
    """Kinds of consent strings and flags that travel with an event; what they mean is judged elsewhere."""

    TCF = "tcf"
    """IAB Europe TCF consent string."""
    GDPR_APPLIES = "gdpr"
    """"1" or "0": whether the sender says that the GDPR applies."""
    GPP = "gpp"
    """IAB Global Privacy Platform string."""
    GPP_SID = "gpp_sid"
    """GPP sections in force, as sent ("7" or "7_8")."""
    USP = "usp"
    """US Privacy string ("1YNN")."""
    GCS = "gcs"
    """Google consent mode state ("G101")."""
    GCD = "gcd"
    """Google consent mode v2 defaults and updates ("11p1r1u1t5")."""
    NPA = "npa"
    """"1": no personalised advertising."""
    DMA = "dma"
    """"1" or "0": whether the Digital Markets Act applies."""
    DMA_CPS = "dma_cps"
    """Purposes that Google may combine data for, letters ("sypham")."""
    GPC = "gpc"
    """Global Privacy Control: "1" is an opt-out; anything else is none."""
    SALE_OPT_OUT = "sale_opt_out"
    """"1": the person opted out of the sale of data (CCPA)."""
    STATE = "state"
    """The consent tool's own word for the choice as a whole ("deny_all", "withdrawn")."""


class InlineConsent(msgspec.Struct, frozen=True, gc=False):
    """Consent stated inside the event itself; it may narrow a decision, never widen one.

    Attributes:
        choices: vendor category id -> True only for an explicit yes.
        malformed: the signal was present but unreadable: it denies every purpose.
        signals: consent strings and flags as sent, unjudged: (``Signal``, text), in a fixed order, each kind once.
    """

    choices: dict[str, bool]
    malformed: bool = False
    signals: tuple[tuple[str, str], ...] = ()


class Event(msgspec.Struct, frozen=True, gc=False):
    """A decoded event.

    Attributes:
        event_id: the producer's id, or a derived one (then ``event_id_derived``).
        kind: see ``Kind``.
        name: the vendor's event name; for calls without one the kind.
        occurred_at: client time, ms; None when the producer sent none (time of receipt is used).
        sent_at: client send time, ms, where sent.
        anonymous_id: device id, None when absent or a placeholder.
        user_id: person id, None when absent or a placeholder.
        properties: the event's own properties (identify: traits).
        context: the SDK's context object.
        consent: inline consent, None when the event carries no such signal.
        vendor: envelope that decoded it.
        event_id_derived: the id was not sent.
        content: the event's own bytes where the envelope has them at hand; they tell a repeat from a conflict.
        set_back: ms by which ``occurred_at`` was corrected, as the client's clock is ahead; repeats may differ in it.
        session: what its person did just before, where sessions are kept; never set by envelopes.
    """

    event_id: str
    kind: str
    name: str
    occurred_at: int | None
    sent_at: int | None
    anonymous_id: str | None
    user_id: str | None
    properties: dict[str, Any]
    context: dict[str, Any]
    consent: InlineConsent | None
    vendor: str
    event_id_derived: bool = False
    content: bytes | None = None
    session: Session | None = None
    set_back: int = 0

    def __repr__(self) -> str:
        return f"<Event {self.vendor} {self.kind}>"


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """Why bytes are not an event: an expected fate, never an exception.

    Attributes:
        reason: closed vocabulary (``domain.outcome.InvalidReason``).
        path: JSON path of the offending place, without any value or sender-chosen key.
    """

    reason: str
    path: str = "$"
