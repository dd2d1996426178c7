"""Match conditions of rules: a closed vocabulary, compiled once into functions of the event.

Rules: a condition is ``{all: [...]}``, ``{any: [...]}``, ``{not: ...}`` or ``{path: ..., <operator>: ...}``; several
operators at one path must all hold. A missing value or one of the wrong type makes any operator false (only
``exists: false`` is true of a missing value); null counts as missing. Numbers compare exactly whatever their size; true
and false are not numbers. No condition raises on any event.
Not handled here: checking what people wrote (``bundles``), conditions on a person's history.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tamis.domain.event import Event
from tamis.domain.paths import Getter, getter, required_path
from tamis.domain.patterns import searcher
from tamis.domain.rules import Predicate

Spec = Mapping[str, Any]
_Test = Callable[[Any], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def compile_condition(spec: Spec) -> Predicate:
    """The condition as a function.

    Args:
        spec: a checked condition, as parsed from configuration.

    Raises:
        ValueError: it is not one (a fault: bundles are checked before they are compiled).
    """
    if "all" in spec:
        return _all([compile_condition(part) for part in spec["all"]])
    if "any" in spec:
        return _any([compile_condition(part) for part in spec["any"]])
    if "not" in spec:
        return _not(compile_condition(spec["not"]))
    if "path" not in spec:
        raise ValueError("a condition needs all, any, not or path")
    get = getter(required_path(spec["path"]))
    tests = [_at(get, name, expected) for name, expected in spec.items() if name != "path"]
    return _all(tests)


def both(one: Predicate, other: Predicate) -> Predicate:
    """Both must hold; the second is asked only when the first one does."""
    return lambda event: one(event) and other(event)


def _all(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:  # noqa: PLR2004 - the common case without a loop
        return both(*parts)

    def every(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 - twice as fast as all() over a generator
            if not part(event):
                return False
        return True

    return every


def _any(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]

    def some(event: Event) -> bool:
        for part in parts:  # noqa: SIM110 - twice as fast as any() over a generator
            if part(event):
                return True
        return False

    return some


def _not(part: Predicate) -> Predicate:
    return lambda event: not part(event)


def _at(get: Getter, name: str, expected: Any) -> Predicate:
    if name == "eq" and type(expected) is str:
        return lambda event: bool(get(event) == expected)
    if name == "exists":
        return (lambda event: get(event) is not None) if expected else (lambda event: get(event) is None)
    test = _test(name, expected)
    return lambda event: test(get(event))


def _test(name: str, expected: Any) -> _Test:
    if name in _COMPARE:
        return _ordered(_COMPARE[name], expected)
    makers: dict[str, Callable[[Any], _Test]] = {
        "eq": _equal,
        "ne": _different,
        "in": _among,
        "prefix": lambda text: _text(lambda value: value.startswith(text)),
        "suffix": lambda text: _text(lambda value: value.endswith(text)),
        "contains": _contains,
        "matches": lambda pattern: _text(searcher(pattern)),
    }
    if name not in makers:
        raise ValueError(f"unknown operator {name}")
    return makers[name](expected)


def is_number(value: Any) -> bool:
    """Whether a value is an integer or a real number, not a boolean."""
    return type(value) is int or type(value) is float


def _ordered(compare: Callable[[Any, Any], bool], bound: float) -> _Test:
    return lambda value: (type(value) is int or type(value) is float) and compare(value, bound)


def _equal(expected: Any) -> _Test:
    if is_number(expected):
        return lambda value: (type(value) is int or type(value) is float) and value == expected
    return lambda value: type(value) is type(expected) and value == expected


def _different(expected: Any) -> _Test:
    if is_number(expected):
        return lambda value: (type(value) is int or type(value) is float) and value != expected
    return lambda value: type(value) is type(expected) and value != expected


def _among(choices: Sequence[Any]) -> _Test:
    texts = frozenset(choice for choice in choices if type(choice) is str)
    numbers = frozenset(choice for choice in choices if is_number(choice))
    flags = frozenset(choice for choice in choices if type(choice) is bool)

    def among(value: Any) -> bool:
        if type(value) is str:
            return value in texts
        if type(value) is bool:
            return value in flags
        return is_number(value) and value in numbers

    return among


def _text(test: Callable[[str], bool]) -> _Test:
    return lambda value: type(value) is str and test(value)


def _contains(part: str) -> _Test:
    """In a text a part of it, in a list one of its elements."""
    return lambda value: (type(value) is str or type(value) is list) and part in value
