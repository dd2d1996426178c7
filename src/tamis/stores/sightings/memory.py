"""Sightings in a dictionary: for dry runs and as the plain reference of the mapped tables in tests.

Rules: the same answers as ``stores.sightings.partition``. Nothing survives the process and nothing is bounded.
"""

from collections.abc import Mapping

from tamis.domain.sightings import ENTRY_BYTES, ID_BYTES


class MemorySightings:
    """``ports.Sightings`` in memory.

    Args:
        window_minutes: how long a sighting counts.
    """

    def __init__(self, window_minutes: int) -> None:
        self._window = window_minutes
        self._seen: dict[bytes, tuple[int, bytes]] = {}

    def find(self, ids: bytes, minute: int) -> Mapping[int, bytes]:
        """See ``ports.Sightings.find``."""
        found = {}
        for place in range(len(ids) // ID_BYTES):
            known = self._seen.get(ids[place * ID_BYTES : (place + 1) * ID_BYTES])
            if known is not None and known[0] >= minute - self._window:
                found[place] = known[1]
        return found

    def add(self, minute: int, entries: bytes) -> None:
        """Remembers what a batch saw for the first time in a minute."""
        for start in range(0, len(entries), ENTRY_BYTES):
            entry = entries[start : start + ENTRY_BYTES]
            self._seen[entry[:ID_BYTES]] = minute, entry[ID_BYTES:]
