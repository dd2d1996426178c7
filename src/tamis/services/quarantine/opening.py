"""Opens quarantined originals: the one place where they become readable again; the audit is told of each look first.

Rules: before anything is decrypted a ``QuarantineLook`` is in ``audit.requests``, acknowledged by the cluster; it says
who (a keyed digest of the account), how many, where and why. Without the root key nothing is opened and no look can be
told. An entry of a record that holds no original is opened by the one that does.
"""

import os
import pwd
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from tamis.domain.audit.requests import LookReason, QuarantineLook
from tamis.domain.keyed import hex_token
from tamis.domain.quarantine import Headers, open_entry, open_headers
from tamis.kafka.reader import read_topic
from tamis.keys.provider import open_keys
from tamis.ports import KeyProvider
from tamis.records.topics import Topic
from tamis.services.audit_requests import send_requests
from tamis.services.leaf_search import Position
from tamis.services.quarantine.entries import Stored, decoded
from tamis.settings import Settings, SetupError

_ACCOUNT_LABEL = "audit/account"


class Original(msgspec.Struct, frozen=True):
    """What was received: the record's value (its beginning when ``cut``) and headers."""

    value: bytes
    headers: Headers
    cut: bool

    def __repr__(self) -> str:
        return f"<Original bytes={len(self.value)}>"


def account() -> str:
    """The operating system's account of this process; not what an environment variable says."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


class Opener:
    """Opens entries for one reason.

    Args:
        settings: where the topics and keys are.
        reason: why somebody looks.
        keys: those of the settings, unless given.

    Raises:
        SetupError: the root key is not there.
    """

    def __init__(self, settings: Settings, reason: LookReason, keys: KeyProvider | None = None) -> None:
        self._settings = settings
        self._reason = reason
        self._derive = (keys or open_keys(settings)).derive
        self._keys: dict[str, bytes] = {}

    def tell(self, places: Mapping[int, Iterable[int]]) -> None:
        """Tells the audit that these entries will be opened: partition of the quarantine -> offsets.

        Raises:
            UnreachableError: the cluster did not take it; then nothing may be opened.
        """
        by = hex_token(self._derive(_ACCOUNT_LABEL))(account().encode())
        now = time.time_ns() // 1_000_000
        looks = []
        for partition, offsets in sorted(places.items()):
            if found := sorted(offsets):
                looks.append(
                    QuarantineLook(
                        at=now, by=by, count=len(found), first=found[0], partition=partition, reason=self._reason
                    )
                )
        send_requests(self._settings, looks)

    def open(self, stored: Stored) -> Original | None:
        """The original of an entry that holds it and that was told; None when it was altered or its key is gone."""
        entry = stored.entry
        key = self._keys.get(entry.key_id)
        if key is None:
            key = self._keys[entry.key_id] = self._derive(entry.key_id)
        value, headers = open_entry(entry, key), open_headers(entry, key)
        return None if value is None or headers is None else Original(value, headers, entry.truncated)


def find(settings: Settings, position: Position, seen: Callable[[int], None] | None = None) -> tuple[Stored, Stored]:
    """The entry of an event and the one that holds its record's original (often the same).

    Raises:
        SetupError: there is none, or no longer.
    """
    topic = settings.topic(Topic.EVENTS_QUARANTINE)
    holder = wanted = None
    first = {position.partition % settings.topics.raw_partitions: 0}
    for number, stored in enumerate(decoded(read_topic(settings.kafka, topic, first=first)), 1):
        at = stored.position
        if (at.topic, at.partition, at.offset) == (position.topic, position.partition, position.offset):
            holder = stored if stored.entry.sealed else holder
            wanted = stored if at.index == position.index else wanted
        if seen is not None and not number % 1_000:
            seen(number)
    if wanted is None or holder is None:
        raise SetupError(f"{topic} holds no entry of {position} (its retention may have passed)")
    return wanted, holder
