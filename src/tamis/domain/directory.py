"""From the ids of an event to its ``Subject``, cached until any subject record changes.

Rules: device and person are both looked up, and of what they are linked with the identities that may speak up: a
person's other devices, and the persons of a device unless they are more than the policy allows. The cache is dropped as
a whole when the replica's version moves, so no batch begun after a withdrawal is in the replica sees the older record;
it is bounded.
"""

from collections.abc import Callable, Mapping

from tamis.domain.consent.model import SubjectRecord
from tamis.domain.identity import SubjectKeys
from tamis.domain.pseudonym import Pseudonymiser
from tamis.domain.subject import Subject, nobody

MAX_SUBJECTS = 30_000


class SubjectDirectory:
    """Finds subjects.

    Args:
        get: subject key -> record or None (``ports.ConsentView.get``).
        version: changes when any subject record changed (``ports.ConsentView.version``).
        keys: derives subject keys.
        pseudonymisers: by domain.
        max_users: with more persons on a device than this, it and they do not speak for each other.
    """

    __slots__ = ("_cache", "_get", "_keys", "_max_users", "_pseudonymisers", "_seen", "_version")

    def __init__(
        self,
        get: Callable[[str], SubjectRecord | None],
        version: Callable[[], int],
        keys: SubjectKeys,
        pseudonymisers: Mapping[str, Pseudonymiser],
        max_users: int = 3,
    ) -> None:
        self._max_users = max_users
        self._get = get
        self._version = version
        self._keys = keys
        self._pseudonymisers = pseudonymisers
        self._seen = -1
        self._cache: dict[tuple[str | None, str | None], Subject] = {}

    def refresh(self) -> None:
        """To be called at the start of each batch: forgets everything if any record changed."""
        version = self._version()
        if version != self._seen:
            self._cache.clear()
            self._seen = version

    def find(self, user_id: str | None, anonymous_id: str | None) -> Subject:
        """The subject named by these ids; a subject without roles when neither names anyone."""
        pair = (user_id, anonymous_id)
        found = self._cache.get(pair)
        return found if found is not None else self._load(pair)

    def record(self, key: str) -> SubjectRecord | None:
        """The record of a subject key."""
        return self._get(key)

    def key_of(self, user_id: str | None, anonymous_id: str | None) -> str:
        """Subject key of the primary identity, "" when nobody is named."""
        return self.find(user_id, anonymous_id).key

    def _load(self, pair: tuple[str | None, str | None]) -> Subject:
        user_id, anonymous_id = pair
        device = self._keys.device(anonymous_id) if anonymous_id else ""
        if user_id:
            key = self._keys.person(user_id)
            primary, secondary = self._get(key), self._get(device) if device else None
            linked = self._linked(primary, device, devices=True)
            subject = Subject(key, primary, secondary, ("person", "device"), self._pseudonymisers, linked)
        elif device:
            primary = self._get(device)
            linked = self._linked(primary, "", devices=False)
            subject = Subject(device, primary, None, ("device",), self._pseudonymisers, linked)
        else:
            subject = nobody()
        if len(self._cache) >= MAX_SUBJECTS:
            self._cache.clear()
        self._cache[pair] = subject
        return subject

    def _linked(self, primary: SubjectRecord | None, named: str, *, devices: bool) -> tuple[SubjectRecord, ...]:
        """Records of the linked identities that may speak, but for the ``named`` one; of a person: its ``devices``."""
        if primary is None or not primary.links or (not devices and self._crowded(primary)):
            return ()
        records = [self._get(link.subject) for link in primary.links if link.subject != named]
        return tuple(
            record
            for record in records
            if record is not None and record.purposes and not (devices and self._crowded(record))
        )

    def _crowded(self, device: SubjectRecord) -> bool:
        return len(device.links) + device.more_links > self._max_users
