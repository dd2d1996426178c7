"""A data subject as one event sees it: the records of person and device, and what follows from the salt.

Rules: the primary subject is the person if the event names one, else the device; pseudonyms and commitments come from
the primary record's salt, so without a record (or after erasure) there is no pseudonym. Nothing here is exported but
through ``Pseudonymiser``.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping

from tamis.domain.consent.model import SubjectRecord
from tamis.domain.pseudonym import Pseudonymiser, commitment_key
from tamis.domain.standing import Standing

AUDIT_DOMAIN = "audit"
MAX_STANDINGS = 64


def salt_of(record: SubjectRecord | None) -> bytes:
    """The record's salt, empty when there is none."""
    if record is None or not record.salt:
        return b""
    return urlsafe_b64decode(record.salt + "=" * (-len(record.salt) % 4))


class Subject:
    """Records of one (person, device) pair and caches that live as long as they are unchanged.

    Args:
        key: subject key of the primary identity.
        primary: its record, None when there is none.
        secondary: the device's record when the primary is a person.
        roles: identity types in record order, ("person", "device") or ("device",).
        pseudonymisers: by domain, "audit" among them.
    """

    __slots__ = ("_pseudonymisers", "_salt", "commit", "key", "pid", "primary", "roles", "secondary", "standings")

    def __init__(
        self,
        key: str,
        primary: SubjectRecord | None,
        secondary: SubjectRecord | None,
        roles: tuple[str, ...],
        pseudonymisers: Mapping[str, Pseudonymiser],
    ) -> None:
        self.key = key
        self.primary = primary
        self.secondary = secondary
        self.roles = roles
        self._pseudonymisers = pseudonymisers
        self._salt = salt_of(primary)
        self.commit: Callable[[bytes], str] | None = commitment_key(self._salt) if self._salt else None
        self.pid: str | None = self.pseudonym(AUDIT_DOMAIN) if self._salt else None
        self.standings: dict[tuple[int, int], Standing] = {}

    def pseudonym(self, domain: str) -> str:
        """The pseudonym for a destination.

        Raises:
            ValueError: the subject has no salt.
        """
        return self._pseudonymisers[domain].pseudonym(self._salt, self.key)

    def keep(self, route: int, inline: int, standing: Standing, age_ms: int) -> None:
        """Caches a decision for later events of the same route and inline signal, unless it was one about lateness."""
        if age_ms > standing.max_lateness_ms:
            return
        if len(self.standings) >= MAX_STANDINGS:
            self.standings.clear()
        self.standings[route, inline] = standing


def nobody() -> Subject:
    """The subject of an event that names no one."""
    return Subject("", None, None, (), {})
