"""What a consent payload states, before identities are keyed.

Rules: holds raw identities, so it never leaves the normaliser and its ``repr`` shows none; statuses are closed: what a
source says beyond its documented yes is not a grant. Times are milliseconds since the epoch, UTC.
"""

from typing import Any, Protocol, runtime_checkable

import msgspec

from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of one person or device.

    Attributes:
        source: adapter id, or what the canonical form names.
        choices: the source's own category id -> status.
        of_strings: categories out of consent strings beside them (``consent_sources.strings``).
        person: raw id of the person, None when not stated or a placeholder.
        device: raw id of the device, likewise.
        regulation: None when the source does not say: the policy's then.
        effective_at: when the choice was made, None when not stated.
        expires_at: end of validity, if stated.
        seq: the source's own sequence number.
        notice: version of the notice shown.
        authenticated: made while logged in.
        complete: categories of this source that it does not mention are refused.
        unclear: categories whose word is no documented yes or no; ``choices`` has them as refused.
        titles: category id -> the source's own name of it, another word the policy may know it by.
        event_id: the source's id of the statement.
        jurisdiction: the place as the source names it.
        legal_basis: category -> the basis the source names.
        vendors: choices by vendor rather than by purpose; kept apart, no purpose follows from them.
        gpc: whether the browser sent Global Privacy Control; None when the source does not say.
        preference: the source's own word for the choice as a whole.
        micros: ``effective_at`` in microseconds where the source is that precise.
    """

    source: str
    choices: dict[str, Status]
    person: str | None = None
    device: str | None = None
    regulation: str | None = None
    effective_at: int | None = None
    expires_at: int | None = None
    seq: int = 0
    notice: str | None = None
    authenticated: bool = False
    complete: bool = False
    unclear: frozenset[str] = frozenset()
    of_strings: dict[str, Status] = {}
    titles: dict[str, str] = {}
    event_id: str | None = None
    jurisdiction: str | None = None
    legal_basis: dict[str, str] = {}
    vendors: dict[str, Status] = {}
    gpc: bool | None = None
    preference: str | None = None
    micros: int | None = None

    def __repr__(self) -> str:
        return f"<Statement {self.source} choices={len(self.choices)}>"


Entry = Statement | Invalid


class ConsentSource(Protocol):
    """An adapter: one vendor, one file."""

    id: str

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether a payload is this vendor's."""

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """Its statements in order; empty when it says nothing about consent. Must not raise for any JSON object."""


@runtime_checkable
class TextSource(Protocol):
    """An adapter that also reads payloads that are no JSON: the texts of cookies."""

    def claims_text(self, text: str) -> bool:
        """Whether a text is this vendor's."""

    def read_text(self, text: str) -> list[Entry]:
        """Its statements in order. Must not raise for any text."""
