"""A data subject as one event sees it: the records of person and device, and what follows from the salt.

Rules: the primary subject is the person if the event names one, else the device; pseudonyms and commitments come from
the primary record's salt, so without a record (or after erasure) there is no pseudonym. Linked identities (a person's
other devices, the persons of a device) can only refuse. Nothing here is exported but through ``Pseudonymiser``.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping

from tamis.domain.consent.model import SubjectRecord
from tamis.domain.keyed import pads
from tamis.domain.pseudonym import Pseudonymiser, commitment_key
from tamis.domain.standing import Send, Standing

AUDIT_DOMAIN = "audit"
MAX_STANDINGS = 8  # senders choose circumstances: what a subject may cost is bounded


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
        linked: records of identities that are linked with the primary and not named by the event.

    Attributes:
        users: persons known on the event's device.
        commit_pads: key of commitments to this subject's events, for ``keyed.hmac_hex``; None without a salt.
        entry: of the sketches that count subjects, once it was asked for.
        pid: pseudonym for the audit log, None without a salt.
        standings: slot (see ``keep``) -> decision.
    """

    __slots__ = (
        "_pseudonymisers",
        "_salt",
        "_sends",
        "commit_pads",
        "entry",
        "key",
        "linked",
        "pid",
        "primary",
        "roles",
        "secondary",
        "standings",
        "users",
    )

    def __init__(
        self,
        key: str,
        primary: SubjectRecord | None,
        secondary: SubjectRecord | None,
        roles: tuple[str, ...],
        pseudonymisers: Mapping[str, Pseudonymiser],
        linked: tuple[SubjectRecord, ...] = (),
    ) -> None:
        self.key = key
        self.entry: int | None = None
        self.linked = linked
        device = primary if roles == ("device",) else secondary
        self.users = 0 if device is None else len(device.links) + device.more_links
        self.primary = primary
        self.secondary = secondary
        self.roles = roles
        self._pseudonymisers = pseudonymisers
        self._salt = salt_of(primary)
        self.commit_pads = pads(commitment_key(self._salt)) if self._salt else None
        self.pid: str | None = self.pseudonym(AUDIT_DOMAIN) if self._salt else None
        self.standings: dict[int, Standing] = {}
        self._sends: tuple[Send, ...] = ()

    def pseudonym(self, domain: str) -> str:
        """The pseudonym for a destination.

        Raises:
            ValueError: the subject has no salt.
        """
        return self._pseudonymisers[domain].pseudonym(self._salt, self.key)

    def field_pseudonym(self, domain: str, name: str, value: str) -> str:
        """The pseudonym of an id in a field of this person's events, for one destination.

        Raises:
            ValueError: the subject has no salt.
        """
        return self._pseudonymisers[domain].field(self._salt, self.key, name, value)

    @property
    def overlap_until(self) -> int:
        """Until when (ms, time of receipt) records also name the pseudonym of the epoch before; 0: no overlap."""
        return self._pseudonymisers[AUDIT_DOMAIN].overlap_until if self._salt else 0

    def send(self, number: int, domain: str, *, overlapping: bool = False) -> Send:
        """The pseudonyms for destination ``number``, made when the first event goes there and shared by all later ones.

        Raises:
            ValueError: the subject has no salt.
        """
        for made in self._sends:
            if made.number == number and bool(made.previous) is overlapping:
                return made
        before = self._pseudonymisers[domain].previous if overlapping else None
        previous = "" if before is None else before.pseudonym(self._salt, self.key)
        made = Send(number, self.pseudonym(domain), previous)
        self._sends = (*self._sends, made)
        return made

    def keep(self, slot: int, standing: Standing, age_ms: int) -> None:
        """Caches a decision for later events of the same route and circumstance, unless it was one about lateness.

        Args:
            slot: the route's slot plus the number of the circumstance.
            standing: the decision.
            age_ms: received minus occurred.
        """
        if age_ms > standing.max_lateness_ms:
            return
        if len(self.standings) >= MAX_STANDINGS:
            self.standings.clear()
        self.standings[slot] = standing


def nobody() -> Subject:
    """The subject of an event that names no one."""
    return Subject("", None, None, (), {})
