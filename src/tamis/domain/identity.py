"""Who an event is about: canonical ids, placeholder ids, and the internal subject key.

Rules: a placeholder id ("anonymous", "null", all zeros, an unfilled template) names nobody, so it is no subject:
otherwise strangers would share one consent record. When in doubt an id is a placeholder (less data, never more).
E-mail-like ids compare without regard to case, so a withdrawal under "Ann@x" reaches a grant under "ann@x". The subject
key is a keyed HMAC over (type, canonical value), internal, never exported; the type separates equal values of device
and person. Not handled here: telephone numbers in several notations, links between ids.
"""

import unicodedata
from collections.abc import Callable

from tamis.domain.keyed import token

PERSON = b"person\0"
DEVICE = b"device\0"
MAX_ID_CHARS = 512

# Words clients send when they have no id; compared in lower case without surrounding space (docs/producers.md lists
# them). Mixpanel, Amplitude and PostHog refuse most of them; the two hexadecimal-looking ones are a build id and a
# device id that thousands of Android devices share.
_PLACEHOLDERS = frozenset(
    (
        "", '""', "''", "()", "(not set)", "(null)", "-", "--", "-1", "0", "0.0", "9774d56d682e549c", "<nil>",
        "<null>", "?", "[]", "[object object]", "_", "anon", "anonymous", "anonymous_id", "anonymous_user",
        "anonymousid", "default", "device", "device_id", "deviceid", "distinct_id", "distinctid", "email",
        "empty", "error", "example", "false", "guest", "id", "inf", "infinity", "invalid", "lmy47d", "n/a",
        "na", "nan", "nil", "no", "none", "not set", "not_authenticated", "not_set", "nul", "null", "optout",
        "string", "test", "true", "undefined", "unidentified", "unknown", "unset", "user", "user_id", "userid",
        "uuid", "visitor", "yes", "{}",
    )
)  # fmt: skip
_LONGEST = max(map(len, _PLACEHOLDERS))
_QUOTES = "\"'`"
_UUID_CHARS = 36
_TEMPLATES = ("{{", "${", "{%", "<%", "%%", "[object ")


def canonical(value: str) -> str | None:
    """The one spelling of an id, or None when it names nobody.

    Surrounding space is removed; other than ASCII text takes form NFKC; ids with an "@" are lower-cased.
    """
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
    size = len(text)
    if size > MAX_ID_CHARS or not text.strip("0-") or text.startswith(_TEMPLATES):
        return None
    if size <= _LONGEST and text.lower().strip(_QUOTES) in _PLACEHOLDERS:
        return None
    if size == _UUID_CHARS and not text.strip("fF-"):
        return None
    return text.lower() if "@" in text else text


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
