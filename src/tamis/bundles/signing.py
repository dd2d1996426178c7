"""Signatures of what is published in the topic ``rules``: whoever may write to the topic still cannot change a rule.

Rules: Ed25519 (RFC 8032) over a domain line and the exact bytes of the body; a public key is written ``ed25519:`` and
43 characters of base64url; a signature by a key that is not on the list of trusted keys is no signature. A key pair
comes from 32 bytes of the key provider (label ``SIGNING_LABEL``).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNING_LABEL = "rules/signing"
_PREFIX = "ed25519:"
_DOMAIN = b"tamis/rules/v1\n"
_KEY_BYTES = 32


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str, size: int) -> bytes | None:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if len(raw) == size and _text(raw) == text else None


def public_bytes(key: str) -> bytes | None:
    """The 32 bytes of a public key, None when the text is not one."""
    return _bytes(key.removeprefix(_PREFIX), _KEY_BYTES) if key.startswith(_PREFIX) else None


class Signer:
    """A key pair.

    Args:
        derive: label -> 32 bytes (``ports.KeyProvider.derive``).

    Attributes:
        public: the public key as text.
    """

    __slots__ = ("_private", "public")

    def __init__(self, derive: Callable[[str], bytes]) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(derive(SIGNING_LABEL))
        self.public = _PREFIX + _text(self._private.public_key().public_bytes_raw())

    def sign(self, body: bytes) -> str:
        """The signature of a body, base64url."""
        return _text(self._private.sign(_DOMAIN + body))


def verified(key: str, signature: str, body: bytes) -> bool:
    """Whether the owner of a public key signed a body."""
    public, raw = public_bytes(key), _bytes(signature, 64)
    if public is None or raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, _DOMAIN + body)
    except InvalidSignature:
        return False
    return True
