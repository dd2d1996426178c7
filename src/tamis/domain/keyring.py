"""Every key the core uses, derived once per bundle from a ``KeyProvider``.

Rules: one label, one use; nothing is derived per event but the day keys, which are cached.
"""

from collections.abc import Callable, Iterable

from tamis.domain.counts.sketch import entries
from tamis.domain.epochs import Epochs
from tamis.domain.held import HeldKeys
from tamis.domain.identity import SubjectKeys
from tamis.domain.keyed import hex_token, mac, mac_all
from tamis.domain.pseudonym import TAG_BYTES, EventIds, ProofIds, Pseudonymiser
from tamis.domain.quarantine import QuarantineSealer, day_of
from tamis.domain.sightings import fingerprints
from tamis.domain.subject import AUDIT_DOMAIN

_DAYS_CACHED = 8
_DAY_MS = 86_400_000


class Keyring:
    """Keyed functions for a set of destinations.

    Args:
        derive: label -> 32 bytes (``ports.KeyProvider.derive``).
        epochs: of pseudonyms.
        destinations: destination ids.

    Attributes:
        pseudonymisers: by domain, "audit" among them, for the current epoch; while an overlap runs each knows the one
            of the epoch before.
        live: by destination, of all live epochs, newest first: what a retraction must name.
    """

    __slots__ = (
        "_commitments",
        "_derive",
        "event_ids",
        "event_tag",
        "event_tags",
        "fingerprints",
        "held",
        "live",
        "proofs",
        "pseudonymisers",
        "sealer",
        "subject_entry",
        "subjects",
    )

    def __init__(self, derive: Callable[[str], bytes], epochs: Epochs, destinations: Iterable[str]) -> None:
        ids = tuple(destinations)
        self._derive = derive
        self._commitments: dict[int, Callable[[bytes], str]] = {}
        self.subjects = SubjectKeys(derive("subject"))
        self.subject_entry = entries(derive("metrics/subjects"))
        self.live = {domain: tuple(_of_epoch(derive, domain, epoch) for epoch in epochs.live) for domain in ids}
        self.pseudonymisers = {domain: _current(derive, domain, epochs) for domain in (*ids, AUDIT_DOMAIN)}
        self.event_ids = tuple(EventIds(derive(f"event/{domain}")) for domain in ids)
        self.proofs = tuple(ProofIds(derive(f"proof/{domain}")) for domain in ids)
        self.event_tag = mac(derive("audit/eid"))
        self.fingerprints = fingerprints(derive("fingerprint"))
        self.event_tags = mac_all(derive("audit/eid"), TAG_BYTES)
        self.held = HeldKeys(derive)
        self.sealer = QuarantineSealer(lambda day: derive(f"quarantine/{day}"), derive("quarantine/key"))

    def live_pseudonyms(self, domain: str, salt: bytes, subject_key: str) -> tuple[str, ...]:
        """Every pseudonym under which a destination may hold this person's records, newest epoch first.

        Args:
            domain: destination id.
            salt: of the subject record (``domain.subject.salt_of``).
            subject_key: of the subject.

        Raises:
            ValueError: there is no salt, hence no pseudonym.
        """
        return tuple(each.pseudonym(salt, subject_key) for each in self.live[domain])

    def day_commitment(self, received_at: int) -> Callable[[bytes], str]:
        """Commitment function for events without a salt: keyed by the UTC day of receipt (ms)."""
        number = received_at // _DAY_MS
        found = self._commitments.get(number)
        if found is None:
            if len(self._commitments) >= _DAYS_CACHED:
                self._commitments.clear()
            found = self._commitments[number] = hex_token(self._derive(f"audit/day/{day_of(received_at)}"))
        return found


def _of_epoch(derive: Callable[[str], bytes], domain: str, epoch: str) -> Pseudonymiser:
    return Pseudonymiser(domain, epoch, derive(f"pseudonym/{domain}/{epoch}"))


def _current(derive: Callable[[str], bytes], domain: str, epochs: Epochs) -> Pseudonymiser:
    key = derive(f"pseudonym/{domain}/{epochs.current}")
    if not epochs.previous:
        return Pseudonymiser(domain, epochs.current, key)
    before = _of_epoch(derive, domain, epochs.previous)
    return Pseudonymiser(domain, epochs.current, key, before, epochs.overlap_until)
