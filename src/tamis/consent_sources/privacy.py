"""Privacy requests (``privacy.requests``): what a data subject asks for, and the changes it becomes.

    {"type": "erasure", "identity": {"person": "...", "device": "..."}, "request": "<UUID>"}
    {"type": "restriction", "identity": {...}, "lift": true}
    {"type": "objection", "identity": {...}, "purposes": ["marketing"]}
    {"type": "access", "identity": {...}}

Rules: a request takes effect when it was received; a time that a sender states is not believed. One that cannot be
carried out as it stands (nobody named, an unknown type or purpose) is refused, never done in part: silence would look
like obedience. An objection is a withdrawal under every regulation that is judged, of all purposes unless it names
some. The request's id goes into receipts, so only a UUID is taken over, which says nothing of anybody; else an id is
made of the request under a key. Access changes nothing: it is answered by ``tamis privacy``.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from tamis.consent_sources import fields
from tamis.consent_sources.fields import Refused
from tamis.consent_sources.registry import body_of
from tamis.domain.bundle import Policy
from tamis.domain.consent.model import ConsentChange, Erasure, Restriction, Status
from tamis.domain.consent.retraction import OBJECTION
from tamis.domain.event import Invalid
from tamis.domain.identity import SubjectKeys
from tamis.domain.keyed import hmac
from tamis.domain.outcome import InvalidReason

ACCESS, ERASURE, RESTRICTION = "access", "erasure", "restriction"
TYPES = (ACCESS, ERASURE, RESTRICTION, OBJECTION)
MAX_PURPOSES = 100
REQUEST_KEY = "privacy/request"
"""Label of the key that ids of requests without one are made with."""


class PrivacyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request; holds raw identities, so it never leaves the normaliser and its ``repr`` shows none.

    Attributes:
        type: one of ``TYPES``.
        request: its id, a UUID.
        person, device: raw ids, at least one of them; not placeholders.
        purposes: canonical purposes of an objection, empty for all.
        lift: a restriction ends.
    """

    type: str
    request: str
    person: str | None = None
    device: str | None = None
    purposes: tuple[str, ...] = ()
    lift: bool = False

    def __repr__(self) -> str:
        return f"<PrivacyRequest {self.type} {self.request}>"


class RequestReader:
    """Reads payloads of ``privacy.requests``.

    Args:
        key: 32 bytes, for the ids of requests that have none.
        policy: which purposes there are.
    """

    def __init__(self, key: bytes, policy: Policy) -> None:
        self._key = key
        self._aliases = policy.aliases

    def read(self, value: bytes | None) -> list[PrivacyRequest] | Invalid:
        """The one request, or why there is none."""
        body = body_of(value)
        if isinstance(body, Invalid):
            return body
        try:
            return [self._request(body, value or b"")]
        except Refused as refused:
            return refused.why

    def _request(self, body: dict[str, Any], value: bytes) -> PrivacyRequest:
        kind = body.get("type")
        if kind is None:
            fields.refuse(InvalidReason.MISSING_FIELD, "$.type")
        if not isinstance(kind, str) or kind not in TYPES:
            fields.refuse(InvalidReason.WRONG_TYPE, "$.type")
        who = fields.table(body.get("identity"), "$.identity")
        person, device = _identity(who, "person"), _identity(who, "device")
        if person is None and device is None:
            fields.refuse(InvalidReason.MISSING_FIELD, "$.identity")
        lift = body.get("lift", False)
        if not isinstance(lift, bool) or (lift and kind != RESTRICTION):
            fields.refuse(InvalidReason.WRONG_TYPE, "$.lift")
        return PrivacyRequest(
            type=kind, request=request_id(body.get("request"), self._key, value), person=person, device=device,
            purposes=self._purposes(body.get("purposes"), kind), lift=lift,
        )  # fmt: skip

    def _purposes(self, stated: Any, kind: str) -> tuple[str, ...]:
        if stated is None:
            return ()
        if kind != OBJECTION or not isinstance(stated, list) or not 0 < len(stated) <= MAX_PURPOSES:
            fields.refuse(InvalidReason.WRONG_TYPE, "$.purposes")
        found = [self._aliases.get(word) if isinstance(word, str) else None for word in stated]
        known = [purpose for purpose in found if purpose is not None]
        if len(known) < len(found):
            fields.refuse(InvalidReason.WRONG_TYPE, f"$.purposes[{found.index(None)}]")
        return tuple(sorted(set(known)))


def _identity(who: dict[str, Any], name: str) -> str | None:
    """One identity; a placeholder names nobody and is refused."""
    stated, path = who.get(name), f"$.identity.{name}"
    found = fields.identity(stated, path)
    if stated is not None and found is None:
        fields.refuse(InvalidReason.WRONG_TYPE, path)
    return found


def request_id(stated: Any, key: bytes, value: bytes) -> str:
    """The id as stated when it is a UUID (RFC 9562), else one made of the request's bytes."""
    if isinstance(stated, str):
        try:
            found = str(UUID(stated))
        except ValueError:
            found = ""
        if found and found == stated.lower():
            return found
    return str(UUID(bytes=hmac(key, value)[:16]))


class RequestKeying:
    """Makes changes of requests under one policy.

    Args:
        policy: purposes and regulations.
        keys: subject keys.
    """

    def __init__(self, policy: Policy, keys: SubjectKeys) -> None:
        self._purposes = policy.purposes
        self._regulations = tuple(dict.fromkeys([policy.regulation, *(law.id for law in policy.judged())]))
        self._keys = keys

    def changes(
        self, asked: PrivacyRequest, recorded_at: int, noted: Counter[str]
    ) -> Iterator[ConsentChange | Erasure | Restriction]:
        """The changes of one request, for each identity it names.

        Args:
            asked: the request.
            recorded_at: when it was received, ms.
            noted: counts by type, added to.
        """
        noted[asked.type] += 1
        for identity, subject in self._subjects(asked):
            if asked.type == ERASURE:
                yield Erasure(subject=subject, identity=identity, at=recorded_at, request=asked.request)
            elif asked.type == RESTRICTION:
                yield Restriction(
                    subject=subject, identity=identity, at=recorded_at, request=asked.request, lifted=asked.lift
                )
            elif asked.type == OBJECTION:
                yield from self._objection(asked, identity, subject, recorded_at)

    def _subjects(self, asked: PrivacyRequest) -> Iterator[tuple[str, str]]:
        if asked.person is not None:
            yield "person", self._keys.person(asked.person)
        if asked.device is not None:
            yield "device", self._keys.device(asked.device)

    def _objection(self, asked: PrivacyRequest, identity: str, subject: str, at: int) -> Iterator[ConsentChange]:
        choices = dict.fromkeys(asked.purposes or self._purposes, Status.WITHDRAWN)
        for regulation in self._regulations:
            yield ConsentChange(
                subject=subject, identity=identity, regulation=regulation, choices=choices, effective_at=at,
                recorded_at=at, source=OBJECTION,
            )  # fmt: skip
