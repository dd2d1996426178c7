"""Takes requests in and makes leaves of the control log of them: the only writer of ``audit.control``.

Rules: only what the enrolment key signed, in the order of ``audit.requests``; a request that changes nothing (a key
known already, an epoch that does not follow, the same look once more) is counted and not sequenced, so replays are
harmless; receipts of one erasure may be equal, one for each subject, and all are kept; leaves are in the store, with
the offset of the requests, before anything else is done with them; times never go back.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable

import msgspec

from tamis.domain.audit.control import (
    ControlError,
    ControlLeaf,
    ControlState,
    Entry,
    Incident,
    SealerKey,
    SealerKeyRevoked,
    decode_control,
    encode_control,
    key_text,
    sealer_key_message,
)
from tamis.domain.audit.merkle import EMPTY_ROOT
from tamis.domain.audit.notices import Previous
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.audit.report import Check
from tamis.domain.audit.requests import (
    EpochOpened,
    PolicyBundle,
    QuarantineLook,
    Request,
    RequestError,
    WorkerKey,
    WorkerKeyRevoked,
    decode_request,
)
from tamis.keys.sealer import SealingEntry, SealingKeys
from tamis.stores.sealer_store import SealerStore

REFUSED, IGNORED = "refused", "ignored"


class Sequencer:
    """The control log before it is sealed.

    Args:
        origin: of the control log.
        store: of the sealer.
        enrolment: public key that requests are signed with.
        logs: names of the logs that may have epochs.
        now: ms.

    Attributes:
        state: what the control log says, leaves not sealed yet included.
        requests_next: next offset of ``audit.requests`` to read.
        taken: how many requests by kind, "refused" and "ignored" among them, since the start.
    """

    def __init__(
        self, origin: LogOrigin, store: SealerStore, enrolment: bytes, logs: tuple[str, ...], now: Callable[[], int]
    ) -> None:
        self._origin, self._store, self._enrolment, self._logs, self._now = origin, store, enrolment, logs, now
        self.state = ControlState(origin.base)
        self._told: set[Entry] = set()
        for value in store.control():
            leaf = decode_control(value)
            self.state.add(leaf)
            self._told.add(leaf.entry)
        self.requests_next = int(store.meta("requests_next") or 0)
        self.taken: Counter[str] = Counter()
        self._new: list[bytes] = []

    def take(self, value: bytes, offset: int) -> None:
        """A record of ``audit.requests``."""
        self.requests_next = offset + 1
        try:
            request = decode_request(value, self._enrolment)
        except RequestError:
            self.taken[REFUSED] += 1
            return
        if self._changes_nothing(request):
            self.taken[IGNORED] += 1
        else:
            self.add(request)

    def add(self, entry: Entry) -> None:
        """Make a leaf."""
        now = max(self._now(), self.state.clock)
        leaf = ControlLeaf(
            entry=entry, log=str(self._origin), sealed_at=now, seq=self.state.size, prev=self._previous(entry)
        )
        try:
            self.state.add(leaf)
        except ControlError:
            self.taken[REFUSED] += 1
            return
        self._told.add(entry)
        self._new.append(encode_control(leaf))
        self.taken[str(type(entry).__struct_config__.tag)] += 1

    def keep(self) -> None:
        """Bring new leaves into the store.

        Raises:
            SealConflictError: another sealer sequenced.
        """
        if self._new or str(self.requests_next) != (self._store.meta("requests_next") or "0"):
            self._store.add_control(self.state.size - len(self._new), self._new, self.requests_next)
            self._new = []

    def publish_keys(self, keys: SealingKeys) -> None:
        """Leaves for sealing keys that the control log does not know, or knows as trusted after their revocation."""
        known = [key.key for key in self.state.sealers]
        for entry in keys.entries:
            text = key_text(entry.public)
            if text not in known:
                by = next((each for each in reversed(keys.entries) if key_text(each.public) in known), None)
                self.add(_sealer_key(self._origin.base, self._now(), entry, by))
                known.append(text)
            if entry.revoked_at and text not in self.state.revoked_sealers:
                self.add(SealerKeyRevoked(at=self._now(), epoch=entry.epoch, key=text))

    def incident(self, log: str, check: str, size: int) -> None:
        """A leaf that says why a log is not sealed any further."""
        self.add(Incident(at=self._now(), check=Check(check), log=log, size=size))

    def _changes_nothing(self, request: Request) -> bool:
        state = self.state
        if isinstance(request, WorkerKey):
            return request.id in state.workers
        if isinstance(request, WorkerKeyRevoked):
            return request.id in state.revoked
        if isinstance(request, EpochOpened):
            known = request.log in self._logs
            return not known or request.epoch != state.epoch(request.log, request.partition) + 1
        return isinstance(request, QuarantineLook | PolicyBundle) and request in self._told

    def _previous(self, entry: Entry) -> Previous | None:
        if not isinstance(entry, EpochOpened):
            return None
        old = LogOrigin(self._origin.base, entry.log, entry.partition, entry.epoch - 1)
        known = self._store.log(str(old))
        size, root = known[:2] if known else (0, EMPTY_ROOT)
        return Previous(log=str(old), root=b64encode(root).decode(), size=size)


def _sealer_key(base: str, now: int, entry: SealingEntry, by: SealingEntry | None) -> SealerKey:
    """The leaf of a new sealing key, signed by itself and by the one before it."""
    draft = SealerKey(
        at=now, by=key_text(by.public) if by else "", epoch=entry.epoch, key=key_text(entry.public),
        not_after=entry.not_after, not_before=entry.not_before, sig="", sig_by="",
    )  # fmt: skip
    message = sealer_key_message(base, draft)
    sig, sig_by = (b64encode(each.key.sign(message)).decode() if each else "" for each in (entry, by))
    return msgspec.structs.replace(draft, sig=sig, sig_by=sig_by)
