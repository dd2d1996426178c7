"""A worker's signing key: made in memory, good for a day, registered with the first batch it signs.

Rules: the key never leaves the process; its registration travels in the transaction of the first batch of each input
partition that it signs, so no committed head is without one; it is exchanged when half of its time is over.
"""

import time
from base64 import b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.attestation import worker_key_id
from tamis.domain.audit.requests import WorkerKey, encode_request, worker_key_proof


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class InMemorySigner:
    """One key: implements ``attestation.BatchSigner``.

    Args:
        not_before: ms.
        valid_ms: how long it is valid.
        enrol: signs its registration.
    """

    __slots__ = ("_key", "id", "registration", "renew_at")

    def __init__(self, not_before: int, valid_ms: int, enrol: Callable[[bytes], bytes]) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes_raw()
        self.id = worker_key_id(public)
        self.renew_at = not_before + valid_ms // 2
        key, not_after = b64encode(public).decode(), not_before + valid_ms
        proof = b64encode(self.sign(worker_key_proof(self.id, key, not_before, not_after))).decode()
        request = WorkerKey(at=not_before, id=self.id, key=key, not_after=not_after, not_before=not_before, proof=proof)
        self.registration = encode_request(request, enrol)

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519."""
        return self._key.sign(message)


class WorkerSigner:
    """The current key of this process.

    Args:
        enrol: signs registrations (the enrolment key).
        valid_s: how long a key is valid.
        now: ms, wall clock.
    """

    def __init__(self, enrol: Callable[[bytes], bytes], valid_s: float, now: Callable[[], int] = _wall_ms) -> None:
        self._enrol, self._valid_ms, self._now = enrol, round(valid_s * 1000), now
        self._current: InMemorySigner | None = None

    def current(self) -> InMemorySigner:
        """The key to sign with now; another one than before when that one's time is over."""
        now = self._now()
        if self._current is None or now >= self._current.renew_at:
            self._current = InMemorySigner(now, self._valid_ms, self._enrol)
        return self._current
