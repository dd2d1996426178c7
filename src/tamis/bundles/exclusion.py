"""Whether two conditions can be shown never to hold together.

Rules: only plain demands at one path are compared (``eq``, ``in``, ``exists``, and bounds of numbers), alone or within
``all``; when in doubt the answer is no. Enough for a lint, not a solver.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]


def exclusive(one: Any, other: Any) -> bool:
    """Whether no event satisfies both."""
    theirs = list(_demands(other))
    return any(mine["path"] == yours["path"] and _contradict(mine, yours) for mine in _demands(one) for yours in theirs)


def _demands(condition: Any) -> Iterator[Spec]:
    """The leaves that must all hold."""
    if not isinstance(condition, dict):
        return
    if isinstance(condition.get("path"), str):
        yield condition
    for part in condition.get("all") or ():
        yield from _demands(part)


def _contradict(one: Spec, other: Spec) -> bool:
    if False in (one.get("exists"), other.get("exists")) and one.get("exists") != other.get("exists"):
        return True
    mine, yours = _choices(one), _choices(other)
    if mine is not None and yours is not None:
        return not mine & yours
    low = max(_bound(one, ("gt", "ge", "eq"), -math.inf), _bound(other, ("gt", "ge", "eq"), -math.inf))
    high = min(_bound(one, ("lt", "le", "eq"), math.inf), _bound(other, ("lt", "le", "eq"), math.inf))
    if low > high:
        return True
    return low == high and any(name in spec for spec in (one, other) for name in ("gt", "lt"))


def _choices(spec: Spec) -> frozenset[tuple[type, Any]] | None:
    found = [spec["eq"]] if "eq" in spec else spec.get("in")
    return frozenset((type(value), value) for value in found if _scalar(value)) if isinstance(found, list) else None


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _bound(spec: Spec, names: tuple[str, ...], otherwise: float) -> float:
    found = [spec[name] for name in names if isinstance(spec.get(name), int | float)]
    return found[0] if found else otherwise
