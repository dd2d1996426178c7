"""What a consent payload states, before identities are keyed.

Rules: holds raw identities, so it never leaves the normaliser and its ``repr`` shows none; statuses are closed: what a
source says beyond its documented yes is not a grant. Times are milliseconds since the epoch, UTC.
"""

from typing import Any, Protocol

import msgspec

from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of one person or device.

    Attributes:
        source: adapter id, or what the canonical form names.
        choices: the source's own category id -> status.
        person: raw id of the person, None when not stated or a placeholder.
        device: raw id of the device, likewise.
        regulation: None when the source does not say: the policy's then.
        effective_at: when the choice was made, None when not stated.
        expires_at: end of validity, if stated.
        seq: the source's own sequence number.
        notice: version of the notice shown.
        authenticated: made while logged in.
        complete: categories of this source that it does not mention are refused.
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
