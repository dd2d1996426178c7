"""Addresses without what may name a person: query, fragment, parameters, user information.

Rules: everything from the first ``?``, ``#`` or ``;`` on goes; ``user:password@`` goes; a path that holds an e-mail
address (``@`` or ``%40``) goes as a whole; in free text all that follows the first query goes too. All functions take
linear time on any text. Terms: RFC 3986.
Not handled here: names and numbers in the path itself; a field that needs them must not be listed.
"""

import re
from functools import lru_cache
from typing import Any

from tamis.domain.minimise.text import bounded

_ADDRESS_START = re.compile(r"\s*(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//|/|\?)")
_TOKEN = re.compile(r"\S+")
_ABSOLUTE = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://([^/\s]*)(/\S*)?\Z")
_HOST = re.compile(r"[\w.-]{1,253}")
_PUNCTUATION = "?!.,;:()[]\"'"
_WEB = ("http", "https")
MAX_URL_CHARS = 8_192

# Pages repeat: what is left without the query is remembered (never the query), within a bound of memory.
_CACHED = 4_096
_CACHED_CHARS = 512


def without_query(text: str) -> str:
    """An address cut down to scheme, host and path; other text up to the query of the first address in it."""
    if _ADDRESS_START.match(text):
        return strip_address(text)
    for found in _TOKEN.finditer(text):
        if _is_address(found[0]):
            return text[: found.start()] + strip_address(text[found.start() :])
    return text


def strip_address(text: str) -> str:
    """As ``without_query`` for text that is known to be an address or a path."""
    head = _before_query(text)
    if "//" not in head:
        return _safe(head)
    return _strip_known(head) if len(head) <= _CACHED_CHARS else _strip_authority(head)


def _before_query(text: str) -> str:
    return text.partition("?")[0].partition("#")[0].partition(";")[0]


def _strip_authority(head: str) -> str:
    start = head.find("//")
    slash = head.find("/", start + 2)
    end = len(head) if slash < 0 else slash
    authority = head[start + 2 : end].rpartition("@")[2]
    return _safe(head[:start]) + "//" + _safe(authority) + _safe(head[end:])


_strip_known = lru_cache(maxsize=_CACHED)(_strip_authority)


def _safe(part: str) -> str:
    return "" if "@" in part or "%40" in part else part


def _is_address(token: str) -> bool:
    return "//" in token or bool(token.partition("?")[2].strip(_PUNCTUATION))


def page(value: Any) -> str | None:
    """Scheme, host and path of a web address (no port); a bare path stays a path; anything else is left out."""
    if type(value) is not str or len(value) > MAX_URL_CHARS:
        return None
    head = value.partition("?")[0]
    return _page_known(head) if len(head) <= _CACHED_CHARS else _page(head)


def host(value: Any) -> str | None:
    """The host name of an absolute address, in lower case."""
    if type(value) is not str or len(value) > MAX_URL_CHARS:
        return None
    head = value.partition("?")[0]
    return _host_known(head) if len(head) <= _CACHED_CHARS else _host(head)


def _page(head: str) -> str | None:
    text = strip_address(head)
    if text.startswith("/") and not text.startswith("//"):
        return bounded(text)
    found = _ABSOLUTE.match(text)
    if found is None or found[1].lower() not in _WEB:
        return None
    name = _name(found[2])
    return bounded(f"{found[1].lower()}://{name}{found[3] or '/'}") if name else None


def _host(head: str) -> str | None:
    found = _ABSOLUTE.match(strip_address(head))
    return _name(found[2]) if found else None


def _name(authority: str) -> str | None:
    name = authority.partition(":")[0].lower()
    return name if _HOST.fullmatch(name) else None


_page_known = lru_cache(maxsize=_CACHED)(_page)
_host_known = lru_cache(maxsize=_CACHED)(_host)
