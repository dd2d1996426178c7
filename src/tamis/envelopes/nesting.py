"""How deep JSON is nested, found without recursion.

Rules: one level after the other, so hostile depth costs memory proportional to the value and no stack.
"""

from typing import Any


def exceeds(value: Any, limit: int) -> bool:
    """Whether a decoded value has more than ``limit`` levels of objects and arrays."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
    return bool(level)
