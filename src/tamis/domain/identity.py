"""Who an event is about: canonical ids, placeholder ids, and the internal subject key.

Rules: a placeholder id ("anonymous", "null", all zeros) names nobody, so it is no subject; the subject key is a keyed
HMAC over (type, canonical value), internal, never exported; the type separates equal values of device and person.
"""

from collections.abc import Callable

from tamis.domain.keyed import token

PERSON = b"person\0"
DEVICE = b"device\0"
MAX_ID_CHARS = 512

# Words SDKs send when they have no id; compared in lower case without surrounding space (docs/producers.md lists them).
_PLACEHOLDERS = frozenset(
    (
        "", "-", "0", "-1", "[object object]", "anon", "anonymous", "default", "false", "guest", "id", "lmy47d",
        "n/a", "na", "nan", "nil", "none", "not_authenticated", "null", "true", "undefined", "unidentified", "unknown",
        "user", "visitor", "yes", "no",
    )
)  # fmt: skip


def canonical(value: str) -> str | None:
    """The id with surrounding space removed, or None when it names nobody."""
    text = value.strip()
    low = text.lower()
    if low in _PLACEHOLDERS or len(text) > MAX_ID_CHARS or not low.strip("0-"):
        return None
    return text


class SubjectKeys:
    """Derives subject keys: 22 base64url characters, equal for equal (type, id) under one key."""

    __slots__ = ("device", "person")

    def __init__(self, key: bytes) -> None:
        self.person: Callable[[str], str] = _keyed(key, PERSON)
        self.device: Callable[[str], str] = _keyed(key, DEVICE)


def _keyed(key: bytes, kind: bytes) -> Callable[[str], str]:
    text = token(key, b"tamis/subject/v1\0" + kind)

    def subject_key(identity: str) -> str:
        return text(identity.encode())

    return subject_key
