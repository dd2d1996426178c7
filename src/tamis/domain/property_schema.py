"""The JSON Schema of a rule's properties, compiled once to closures that find violations.

Rules: the keywords in ``KEYWORDS`` mean what JSON Schema says; there are no others. A number without a fractional part
is an integer; true and false are no numbers; a value of the wrong type is told once and not looked into. Patterns are
RE2.
Source: JSON Schema, draft 2020-12, Validation sections 6.1-6.5 and Core section 10.3 (``properties``, ``items``,
``additionalProperties`` as true or false).
Not handled here: checking that a schema is one (``bundles``); references, combinators and formats, which a rule has
not.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from tamis.domain.event import Event
from tamis.domain.patterns import searcher
from tamis.domain.violations import MAX_FOUND, Check, Violation, ViolationKind

KEYWORDS = (
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "minItems", "maxItems", "items", "properties", "required", "additionalProperties",
)  # fmt: skip
ROOT = "properties"
Spec = Mapping[str, Any]
_Walk = Callable[[Any], Iterator[Violation]]
_Test = Callable[[Any], bool]


def compile_schema(spec: Spec) -> Check:
    """The check of an event's properties.

    Args:
        spec: a checked schema of an object, without ``type``.
    """
    walk = _compile({"type": "object", **spec}, ROOT)

    def check(event: Event) -> tuple[Violation, ...]:
        return tuple(islice(walk(event.properties), MAX_FOUND))

    return check


def _compile(spec: Spec, path: str) -> _Walk:
    fits = _type(spec.get("type"))
    tests = tuple(_tests(spec))
    inner = tuple(_inner(spec, path))
    wrong, bad = Violation(ViolationKind.WRONG_TYPE, path), Violation(ViolationKind.BAD_VALUE, path)

    def walk(value: Any) -> Iterator[Violation]:
        if not fits(value):
            yield wrong
            return
        for test in tests:
            if not test(value):
                yield bad
                break
        for deeper in inner:
            yield from deeper(value)

    return walk


def _type(wanted: Any) -> _Test:
    if wanted is None:
        return lambda _value: True
    kinds = frozenset([wanted] if isinstance(wanted, str) else wanted)

    def fits(value: Any) -> bool:
        kind = _KIND.get(type(value), "")
        return kind in kinds or (kind == "number" and "integer" in kinds and _integral(value))

    return fits


_KIND = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array",
         type(None): "null"}  # fmt: skip


def _integral(value: Any) -> bool:
    return type(value) is int or value.is_integer()


def _number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if _number(one) and _number(other):
        return bool(one == other)
    if type(one) is not type(other):
        return False
    if type(one) is list:
        return len(one) == len(other) and all(map(_same, one, other))
    if type(one) is dict:
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def _tests(spec: Spec) -> Iterator[_Test]:
    if "enum" in spec:
        yield _among(spec["enum"])
    if "const" in spec:
        yield _among([spec["const"]])
    for name, make in _BOUNDS.items():
        if name in spec:
            yield make(spec[name])
    if "pattern" in spec:
        found = searcher(spec["pattern"])
        yield lambda value: type(value) is not str or found(value)


def _among(choices: list[Any]) -> _Test:
    return lambda value: any(_same(value, choice) for choice in choices)


_BOUNDS: dict[str, Callable[[Any], _Test]] = {
    "minimum": lambda bound: lambda value: not _number(value) or value >= bound,
    "maximum": lambda bound: lambda value: not _number(value) or value <= bound,
    "exclusiveMinimum": lambda bound: lambda value: not _number(value) or value > bound,
    "exclusiveMaximum": lambda bound: lambda value: not _number(value) or value < bound,
    "minLength": lambda bound: lambda value: type(value) is not str or len(value) >= bound,
    "maxLength": lambda bound: lambda value: type(value) is not str or len(value) <= bound,
    "minItems": lambda bound: lambda value: type(value) is not list or len(value) >= bound,
    "maxItems": lambda bound: lambda value: type(value) is not list or len(value) <= bound,
}


def _inner(spec: Spec, path: str) -> Iterator[_Walk]:
    if {"properties", "required", "additionalProperties"} & set(spec):
        yield _members(spec, path)
    if "items" in spec:
        yield _elements(_compile(spec["items"], f"{path}[]"))


def _members(spec: Spec, path: str) -> _Walk:
    required = tuple((name, Violation(ViolationKind.REQUIRED_MISSING, f"{path}.{name}"))
                     for name in spec.get("required", ()))  # fmt: skip
    known = {name: _compile(inner, f"{path}.{name}") for name, inner in spec.get("properties", {}).items()}
    closed = spec.get("additionalProperties") is False
    unexpected = Violation(ViolationKind.ADDITIONAL_PROPERTY, path)

    def walk(value: Any) -> Iterator[Violation]:
        if type(value) is not dict:
            return
        for name, missing in required:
            if name not in value:
                yield missing
        for name, deeper in known.items():
            if name in value:
                yield from deeper(value[name])
        if closed and not value.keys() <= known.keys():
            yield unexpected

    return walk


def _elements(each: _Walk) -> _Walk:
    def walk(value: Any) -> Iterator[Violation]:
        if type(value) is list:
            for element in value:
                yield from each(element)

    return walk
