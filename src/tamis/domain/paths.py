"""Paths into an event, as configuration writes them: ``properties.plan``, ``context.page.path``, ``name``.

Rules: a path starts at ``name``, ``kind`` or ``vendor`` (which stand alone), or at ``properties`` or ``context`` and
goes on by keys; a key with dots or spaces is put in double quotes; a number is a key of an object or an index of a
list. ``engagement.<key>`` and ``session.<key>`` have closed keys (``domain.engagement``, ``domain.session``). Ids of
people and devices cannot be addressed. A place that is missing, null or of another shape gives None.
"""

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from tamis.domain import engagement, session
from tamis.domain.event import Event

Getter = Callable[[Event], Any]

ALONE = ("name", "kind", "vendor")
CONTAINERS = ("properties", "context")
CLOSED = {"engagement": engagement.KEYS, "session": session.KEYS}
MAX_CHARS = 200
MAX_KEYS = 8
_SEGMENT = re.compile(r'\.(?:"([^"]{1,100})"|([^."\s\[\]]{1,100}))')


class Path(msgspec.Struct, frozen=True):
    """A parsed path.

    Attributes:
        root: one of ``ALONE``, ``CONTAINERS`` or ``CLOSED``.
        keys: empty exactly when the root is one of ``ALONE``.
    """

    root: str
    keys: tuple[str, ...] = ()


def parse_path(text: str) -> Path | None:
    """The path, or None when the text is not one."""
    if text in ALONE:
        return Path(text)
    root, _, rest = text.partition(".")
    if root in CLOSED:
        return Path(root, (rest,)) if rest in CLOSED[root] else None
    if root not in CONTAINERS or len(text) > MAX_CHARS:
        return None
    keys: list[str] = []
    position = len(root)
    while position < len(text):
        found = _SEGMENT.match(text, position)
        if found is None or len(keys) == MAX_KEYS:
            return None
        keys.append(found[1] or found[2])
        position = found.end()
    return Path(root, tuple(keys)) if keys else None


def required_path(text: str) -> Path:
    """As ``parse_path`` for text that has been checked before.

    Raises:
        ValueError: it is not a path.
    """
    path = parse_path(text)
    if path is None:
        raise ValueError(f"not a path: {text}")
    return path


def getter(path: Path) -> Getter:
    """A function that fetches the value at ``path``; None when there is none."""
    if not path.keys:
        return attrgetter(path.root)
    if path.root == "engagement":
        return engagement.engagement(path.keys[0])
    if path.root == "session":
        return _session(path.keys[0])
    fetch = _outer(path.root, path.keys[0])
    for key in path.keys[1:]:
        fetch = _inner(fetch, key)
    return fetch


def step(holder: Any, key: str) -> Any:
    """One step down: a member of an object, an element of a list, else None."""
    if type(holder) is dict:
        return holder.get(key)
    if type(holder) is list and key.isascii() and key.isdigit():
        index = int(key)
        return holder[index] if index < len(holder) else None
    return None


def _session(key: str) -> Getter:
    return lambda event: None if event.session is None else event.session.read(key)


def _outer(root: str, key: str) -> Getter:
    """A member of ``properties`` or ``context`` themselves, which are always objects."""
    if root == "properties":
        return lambda event: event.properties.get(key)
    return lambda event: event.context.get(key)


def _inner(fetch: Getter, key: str) -> Getter:
    def inner(event: Event) -> Any:
        holder = fetch(event)
        return holder.get(key) if type(holder) is dict else step(holder, key)

    return inner
