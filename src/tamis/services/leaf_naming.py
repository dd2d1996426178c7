"""Turns the names people have for an event back into what leaves hold; needs the installation's keys.

Rules: an event id becomes its tag, whether it is the producer's own or the one a destination received; a proof id
becomes its source position. Without a destination a proof id is tried under every one of the configuration. Ids are
identities: nothing here puts one into a message.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from tamis.bundles.load import load_bundle
from tamis.domain.keyed import mac
from tamis.domain.pseudonym import TAG_BYTES, EventIds, ProofIds
from tamis.keys.provider import open_keys
from tamis.records.topics import Topic
from tamis.services.leaf_search import Position
from tamis.settings import Settings, SetupError


class LeafNames:
    """Names under one installation's keys.

    Args:
        derive: label -> 32 bytes.
        destination: whose ids are meant; None: an event id is the producer's.
        destinations: gives those to try for proof ids when none is named; asked only then.
    """

    def __init__(
        self, derive: Callable[[str], bytes], destination: str | None, destinations: Callable[[], Iterable[str]]
    ) -> None:
        self._derive, self._destination, self._destinations = derive, destination, destinations

    def tag(self, event_id: str) -> str:
        """``eid`` of an event's leaf, hexadecimal.

        Raises:
            SetupError: it is no event id of the destination.
        """
        if self._destination is None:
            return mac(self._derive("audit/eid"))(event_id.encode("utf-8", "surrogateescape"))[:TAG_BYTES].hex()
        try:
            return EventIds(self._derive(f"event/{self._destination}")).tag(event_id).hex()
        except ValueError:
            raise SetupError(f"an event id that is none of destination {self._destination}") from None

    def positions(self, proof_id: str) -> list[Position]:
        """Source positions a proof id can mean: one, unless ids of two destinations look alike."""
        found = []
        for destination in [self._destination] if self._destination else self._destinations():
            try:
                partition, offset, index = ProofIds(self._derive(f"proof/{destination}")).position(proof_id)
            except ValueError:
                continue
            found.append(Position(Topic.EVENTS_RAW.value, partition, offset, index))
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

    return LeafNames(open_keys(settings).derive, destination, configured)
