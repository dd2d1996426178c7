"""Turns the names people have for an event back into what leaves hold; needs the installation's keys.

Rules: an event id becomes its tag, whether it is the producer's own or the one a destination received; a proof id
becomes its source position. Without a destination a proof id is tried under every one of the configuration; ids of
before an incident are read with the keys of then. Ids are identities: nothing here puts one into a message.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tamis.bundles.load import load_bundle
from tamis.domain.keyed import mac
from tamis.domain.pseudonym import TAG_BYTES, EventIds, ProofIds
from tamis.keys.provider import open_keys
from tamis.keys.ring import KeyRing
from tamis.records.topics import Topic
from tamis.services.leaf_search import Position
from tamis.settings import Settings, SetupError


class LeafNames:
    """Names under one installation's keys.

    Args:
        keys: derives keys, also those that were in use before.
        destination: whose ids are meant; None: an event id is the producer's.
        destinations: gives those to try for proof ids when none is named; asked only then.
    """

    def __init__(self, keys: KeyRing, destination: str | None, destinations: Callable[[], Iterable[str]]) -> None:
        self._keys, self._destination, self._destinations = keys, destination, destinations

    def tags(self, event_id: str) -> list[str]:
        """``eid`` of an event's leaf, hexadecimal; one for each key that a destination's id may have been made with.

        Raises:
            SetupError: it is no event id of the destination.
        """
        if self._destination is None:
            return [mac(self._keys.derive("audit/eid"))(event_id.encode("utf-8", "surrogateescape"))[:TAG_BYTES].hex()]
        try:
            keys = self._keys.derive_all(f"event/{self._destination}")
            return [EventIds(key).tag(event_id).hex() for key in keys]
        except ValueError:
            raise SetupError(f"an event id that is none of destination {self._destination}") from None

    def positions(self, proof_id: str) -> list[Position]:
        """Source positions a proof id can mean: one, unless ids of two destinations look alike."""
        found = []
        for destination in [self._destination] if self._destination else self._destinations():
            for key in self._keys.derive_all(f"proof/{destination}"):
                with suppress(ValueError):
                    found.append(Position(Topic.EVENTS_RAW.value, *ProofIds(key).position(proof_id)))
        return found


def open_names(settings: Settings, destination: str | None) -> LeafNames:
    """Names under the keys of these settings.

    Raises:
        SetupError: there are no keys.
    """

    def configured() -> tuple[str, ...]:
        bundle = load_bundle(Path(settings.rules.folder))
        if isinstance(bundle, list):
            raise SetupError(f"{settings.rules.folder} cannot be used (tamis check): name the --destination")
        return tuple(each.id for each in bundle.destinations)

    return LeafNames(open_keys(settings), destination, configured)
