"""Ketch: the forwarder's ConsentRequest (``consent/v1``).

Rules: "granted" is a yes, "denied" a no, any other word is unclear; the legal basis is kept as stated and changes
nothing ("disclosure" is no consent). Identity spaces whose name tells of a browser or device are devices', others
persons'; the first usable id of each kind counts. ``collectedAt`` is a number whose unit is not stated: seconds or
milliseconds, told by its size. The regulation is Ketch's code; the jurisdiction is kept for the reader.
Source: ketch-com/ketch-forwarder, api/consent/v1.
"""

import re
from typing import Any

from tamis.consent_sources import fields
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import Choices
from tamis.domain.consent.model import Status

_KIND = "ConsentRequest"
_DEVICE = re.compile(r"swb_|cookie|device|anonym|browser|visitor|client_id|gaid|idfa|idfv", re.IGNORECASE)
_WORDS = {"granted": Status.GRANTED, "denied": Status.DENIED}


class Ketch:
    """Reads the request."""

    id = "ketch"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether ``kind`` and ``apiVersion`` say so."""
        version = body.get("apiVersion")
        return body.get("kind") == _KIND and isinstance(version, str) and version.startswith("consent/")

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        return [fields.attempt(_statement, body)]


def _statement(body: dict[str, Any]) -> Statement:
    request = fields.table(body.get("request"), "$.request")
    purposes = fields.table(request.get("purposes"), "$.request.purposes")
    choices = Choices(_WORDS)
    for purpose, said in purposes.items():
        choices.add(purpose, said.get("consent") if isinstance(said, dict) else said)
    metadata, basis = body.get("metadata"), request.get("legalBasis")
    person, device = _identities(request)
    return Statement(
        source=Ketch.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=person,
        device=device,
        regulation=fields.label(request.get("regulation")),
        jurisdiction=fields.label(request.get("jurisdiction")),
        effective_at=fields.epoch(request.get("collectedAt"), "$.request.collectedAt"),
        legal_basis={k: v for k, v in basis.items() if isinstance(v, str)} if isinstance(basis, dict) else {},
        event_id=fields.label(metadata.get("uid")) if isinstance(metadata, dict) else None,
    )


def _identities(request: dict[str, Any]) -> tuple[str | None, str | None]:
    person = device = None
    for row in fields.rows(request.get("identities"), "$.request.identities"):
        found = fields.identity(row.get("identityValue"), "$.request.identities.identityValue")
        if _DEVICE.search(str(row.get("identitySpace", ""))):
            device = device or found
        else:
            person = person or found
    return person, device
