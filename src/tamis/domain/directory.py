"""From the ids of an event to its ``Subject``, cached until any subject record changes.

Rules: device and person are both looked up; the cache is dropped as a whole when the replica's version moves, so no
batch begun after a withdrawal is in the replica sees the older record; the cache is bounded.
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
    """

    __slots__ = ("_cache", "_get", "_keys", "_pseudonymisers", "_seen", "_version")

    def __init__(
        self,
        get: Callable[[str], SubjectRecord | None],
        version: Callable[[], int],
        keys: SubjectKeys,
        pseudonymisers: Mapping[str, Pseudonymiser],
    ) -> None:
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

    def key_of(self, user_id: str | None, anonymous_id: str | None) -> str:
        """Subject key of the primary identity, "" when nobody is named."""
        return self.find(user_id, anonymous_id).key

    def _load(self, pair: tuple[str | None, str | None]) -> Subject:
        user_id, anonymous_id = pair
        device = self._keys.device(anonymous_id) if anonymous_id else ""
        if user_id:
            key = self._keys.person(user_id)
            secondary = self._get(device) if device else None
            subject = Subject(key, self._get(key), secondary, ("person", "device"), self._pseudonymisers)
        elif device:
            subject = Subject(device, self._get(device), None, ("device",), self._pseudonymisers)
        else:
            subject = nobody()
        if len(self._cache) >= MAX_SUBJECTS:
            self._cache.clear()
        self._cache[pair] = subject
        return subject
