"""The structure of an original without its contents: what somebody needs to mend a producer, and no more.

Rules: of a value only its kind, its length and what it looks like are shown; a key is shown when it is a plain word (a
sender can put an identity into a key), else its length; at most ``MAX_ITEMS`` members of an object or list and
``MAX_DEPTH`` levels are. What is not JSON is told by size, text form and the names of its parameters.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

MAX_ITEMS = 40
MAX_DEPTH = 12
_KEY = re.compile(r"[A-Za-z_$][A-Za-z_$.:-]{0,39}[0-9]{0,2}")
_LOOKS = (
    ("a time", re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-][\d:]+)?)?")),
    ("a UUID", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("an address (URL)", re.compile(r"[a-z][a-z0-9+.-]{1,20}://.*", re.DOTALL)),
    ("an e-mail address", re.compile(r"[^@\s]{1,100}@[^@\s]{1,100}\.[^@\s]{1,50}")),
    ("a number", re.compile(r"[+-]?\d{1,40}([.,]\d{1,40})?")),
)
_LONGEST = 2_000


def outline(original: bytes) -> Any:
    """JSON of the same structure, with kinds in place of values.

    Args:
        original: as received, or its beginning.
    """
    if not original:
        return "<empty>"
    try:
        return _node(msgspec.json.decode(original), 0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"<not JSON>": _fault(error), **_flat(original)}


def outline_headers(headers: Any) -> dict[str, str]:
    """Names of headers, with kinds in place of values."""
    shown: dict[str, str] = {}
    for name, value in headers[:MAX_ITEMS]:
        text = None if value is None else value.decode("utf-8", "replace")
        shown[_key(name)] = "null" if text is None else _text(text)
    return shown


def _fault(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "too deep"
    where = re.search(r"byte (\d+)", str(error))
    return f"breaks at byte {where[1]}" if where else "cut off, or not UTF-8"


def _node(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return _members(value, depth)
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            return f"<list of {len(value)}>"
        shown = [_node(each, depth + 1) for each in value[:MAX_ITEMS]]
        return shown if len(value) <= MAX_ITEMS else [*shown, f"<{len(value) - MAX_ITEMS} more>"]
    if value is None or isinstance(value, bool):
        return value
    return _text(value) if isinstance(value, str) else "<number>"


def _members(value: dict[str, Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return f"<object of {len(value)}>"
    found: dict[str, Any] = {}
    for key, each in list(value.items())[:MAX_ITEMS]:
        found[_unused(_key(key), found)] = _node(each, depth + 1)
    if len(value) > MAX_ITEMS:
        found["<more>"] = f"<{len(value) - MAX_ITEMS} more>"
    return found


def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) else f"<key of {len(key)} characters>"


def _unused(name: str, taken: dict[str, Any]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _text(text: str) -> str:
    if not text:
        return ""
    looks = next((name for name, form in _LOOKS if len(text) <= _LONGEST and form.fullmatch(text)), "")
    return f"<text of {len(text)} characters{f', looks like {looks}' if looks else ''}>"


def _flat(original: bytes) -> dict[str, Any]:
    try:
        text = original.decode()
    except UnicodeDecodeError:
        return {"<bytes>": f"{len(original)}, not UTF-8"}
    found: dict[str, Any] = {
        "<text>": f"{len(text)} characters, {text.count(chr(9))} tabs, {text.count(chr(10))} lines"
    }
    pairs = parse_qsl(text[:_LONGEST].rpartition("?")[2], keep_blank_values=True) if "=" in text[:_LONGEST] else []
    for key, value in pairs[:MAX_ITEMS]:
        found[_unused(_key(key), found)] = _text(value)
    return found
