"""The action ``keep``: a scalar as it is, within bounds, and never an address with a query.

Rules: text is cut to ``MAX_TEXT_CHARS`` characters; addresses in it lose query, fragment and user information first;
integers fit 64 bits; real numbers are finite; null, objects and lists are left out, and so is text that has no UTF-8
form or nothing left. Not handled here: personal data inside free text; do not list such fields.
"""

from typing import Any

from tamis.domain.minimise.action import Action, Scalar
from tamis.domain.minimise.text import MAX_TEXT_CHARS, bounded
from tamis.domain.minimise.url import strip_address, without_query

MAX_INT = 2**63 - 1
MIN_INT = -(2**63)
_MAX_FLOAT = 1.7976931348623157e308

# Last keys of paths whose values are addresses or parts of one in the common SDKs.
_ADDRESS_KEYS = frozenset(
    ("url", "uri", "href", "link", "path", "search", "referrer", "referer", "location", "page_url", "page_path",
     "page_location", "page_referrer", "initial_referrer", "destination_url", "target_url", "hash", "fragment")
)  # fmt: skip


def keep(value: Any) -> Scalar | None:
    """The value, if it is a scalar within bounds."""
    if type(value) is str:
        # Most texts hold no address and no lone surrogate: they leave without a further call.
        if "/" in value or "?" in value or not value.isascii() or not 0 < len(value) <= MAX_TEXT_CHARS:
            return safe_text(value)
        return value
    if type(value) is bool:
        return value
    if type(value) is int:
        return value if MIN_INT <= value <= MAX_INT else None
    if type(value) is float:
        return value if -_MAX_FLOAT <= value <= _MAX_FLOAT else None
    return None


def keep_address(value: Any) -> Scalar | None:
    """As ``keep`` where text is known to be an address."""
    if type(value) is str:
        return bounded(strip_address(value))
    return keep(value)


def keep_for(last_key: str) -> Action:
    """``keep``, or ``keep_address`` where the key says that the value is one."""
    return keep_address if last_key.lower() in _ADDRESS_KEYS else keep


def safe_text(text: str) -> str | None:
    """Text that may leave: addresses stripped, length bounded; None when nothing is left."""
    if len(text) > MAX_TEXT_CHARS:
        text = text[:MAX_TEXT_CHARS]
    if text.startswith(("/", "?")):
        text = strip_address(text)
    elif "/" in text or "?" in text:
        text = without_query(text)
    return text if text.isascii() and text else bounded(text)
