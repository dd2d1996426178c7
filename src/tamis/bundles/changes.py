"""What changes between two bundles, in words: for whoever has to agree to it.

Rules: rules and destinations are told apart by id, everything else by its place; one line a change, in the order of the
newer bundle; what is gone stands last. Pure: canonical sources in, lines out.
"""

import json
from collections.abc import Iterator
from typing import Any

_LISTS = (("rules", "rule"), ("destinations", "destination"))
MAX_CHARS = 80


def changes(before: bytes | None, after: bytes) -> list[str]:
    """Lines of what is different; ``before`` is None when there was nothing."""
    old: dict[str, Any] = json.loads(before) if before is not None else {"rules": [], "destinations": [], "policy": {}}
    new: dict[str, Any] = json.loads(after)
    found = [line for key, noun in _LISTS for line in _items(noun, old[key], new[key])]
    return found + [f"policy: {line}" for line in _differences(old["policy"], new["policy"], "")]


def _items(noun: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    known, names = {item["id"]: item for item in old}, {item["id"] for item in new}
    for item in new:
        name = item["id"]
        if name not in known:
            yield f"+ {noun} {name}"
        else:
            yield from (f"{noun} {name}: {line}" for line in _differences(known[name], item, ""))
    yield from (f"- {noun} {name}" for name in known if name not in names)
    kept_before = [item["id"] for item in old if item["id"] in names]
    if kept_before != [item["id"] for item in new if item["id"] in known]:
        yield f"{noun}s stand in another order: {', '.join(item['id'] for item in new)}"


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(key for key in old if key not in new)]:
            inner = f"{path}.{key}" if path else key
            if key not in old:
                yield f"+ {inner} {_shown(new[key])}"
            elif key not in new:
                yield f"- {inner}"
            else:
                yield from _differences(old[key], new[key], inner)
    elif old != new or type(old) is not type(new):
        yield f"{path} {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + "…"
