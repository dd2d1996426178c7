"""Ways to damage a payload from which nobody may profit.

Rules: what is damaged is an end, a byte, or a single value in its place. A choice that is taken out whole, or whose
name became another one, leaves no trace, nor does a yes put where a no was: they are not among the ways. The same
random source gives the same damage.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from random import Random

STRANGE: tuple[Any, ...] = (
    None, 0, 2, -1, 7.5, "", "maybe", "PENDING", "IMPLICIT", "NO_CHOICE", "null", "undefined", [], {}, [[]], {"x": 1},
    "\u0660", "\ud83d\ude00", 10**30, " ",
)  # fmt: skip
"""Values that are no documented yes of any tool."""
_FOREIGN = (b"\x00", b"\xff", b"\xc3", b'"', b"\n", b"\\ud800")  # none may stand in a text of JSON


def cut(body: bytes, random: Random) -> bytes:
    """Without its end."""
    return body[: random.randrange(len(body))]


def behead(body: bytes, random: Random) -> bytes:
    """Without its beginning."""
    return body[random.randint(1, len(body)) :]


def insert(body: bytes, random: Random) -> bytes:
    """With foreign bytes put in."""
    at = random.randint(0, len(body))
    return body[:at] + random.choice(_FOREIGN) + body[at:]


def double(body: bytes, _: Random) -> bytes:
    """Twice."""
    return body + body


WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (cut, cut, behead, insert, insert, double)


def spoil(body: bytes, random: Random, keep: Collection[str] = ()) -> bytes:
    """JSON with one value replaced by a strange one or shortened; as bytes are when it is no JSON.

    Args:
        body: bytes of JSON.
        random: what chooses.
        keep: lower-case texts that are left alone: identities, names of categories.
    """
    try:
        whole = json.loads(body)
    except ValueError:
        return insert(body, random)
    places: list[tuple[Any, Any]] = []
    _places(whole, places, keep)
    if not places:
        return cut(body, random)
    holder, key = random.choice(places)
    value = holder[key]
    if isinstance(value, str) and value and random.random() < 0.4:
        holder[key] = value[: random.randrange(len(value))]
    else:
        holder[key] = random.choice(STRANGE)
    return json.dumps(whole).encode()


def _places(node: Any, found: list[tuple[Any, Any]], keep: Collection[str]) -> None:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if str(value).lower() in keep:
            continue
        if isinstance(value, dict | list):
            _places(value, found, keep)
        else:
            found.append((node, key))
