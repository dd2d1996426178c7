"""The shape of a configuration file, checked by its JSON Schema (draft 2020-12) and said in words.

Rules: all deviations are reported, each at its own line; a message names the key and what would be right. The schemas
beside this module are the reference of the file format. Meaning across files is checked elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from tamis.bundles.document import Document, Place, Route
from tamis.bundles.problem import Problem

_TYPES = {"object": "a mapping", "array": "a list", "string": "text", "number": "a number", "integer": "a whole number",
          "boolean": "true or false"}  # fmt: skip
MAX_SHOWN_CHARS = 60


@cache
def schema(name: str) -> dict[str, Any]:
    """One of the schemas: "rules", "destinations" or "policy"."""
    text = files("tamis.bundles").joinpath("schema", f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check_shape(document: Document, name: str) -> list[Problem]:
    """All deviations of a document from the schema ``name``."""
    found: dict[tuple[Route, str], Problem] = {}
    for fault in _faults(document.value, name):
        for route, message in _words(fault):
            found.setdefault((route, message), Place(document, route, None).error(message))
    return list(found.values())


class _Fault(msgspec.Struct, frozen=True):
    """A deviation: which keyword of which (sub)schema, and what stands in its place."""

    route: Route
    rule: str
    wanted: Any
    instance: Any
    schema: dict[str, Any]
    of_name: bool


def _faults(value: Any, name: str) -> Iterator[_Fault]:
    for error in Draft202012Validator(schema(name)).iter_errors(value):
        inner: Any = error
        route: Route = tuple(error.absolute_path)
        of_name = "propertyNames" in error.absolute_schema_path
        yield _Fault(route, str(error.validator), inner.validator_value, error.instance, inner.schema, of_name)


def _words(fault: _Fault) -> Iterator[tuple[Route, str]]:
    route, rule = fault.route, fault.rule
    if rule == "required":
        for name in fault.wanted:
            if name not in fault.instance:
                yield route, f'{_name(route)} lacks "{name}"'
    elif rule == "additionalProperties":
        known = list(fault.schema.get("properties", ()))
        for name in fault.instance:
            if name not in known:
                yield (*route, name), f'unknown key "{name}"{_guess(name, known)}'
    elif fault.of_name:
        yield (*route, str(fault.instance)), f'"{_shown(fault.instance)}" is not {fault.schema.get("description", "")}'
    else:
        yield route, f"{_name(route)} {_MESSAGES.get(rule, _other)(fault)}"


def _other(fault: _Fault) -> str:
    return f"does not fit the schema ({fault.rule})"


def _enum(fault: _Fault) -> str:
    choices = [str(choice) for choice in fault.wanted]
    return f"must be one of {', '.join(choices)}, not {_shown(fault.instance)}{_guess(fault.instance, choices)}"


def _type(fault: _Fault) -> str:
    wanted = fault.wanted
    kinds = [wanted] if isinstance(wanted, str) else wanted
    words = " or ".join(_TYPES[kind] for kind in kinds)
    text = f"must be {words}, not {_described(fault.instance)}"
    plain = isinstance(fault.instance, bool | int | float)
    return f'{text}; in quotes it is text: "{json.dumps(fault.instance)}"' if plain and "string" in kinds else text


def _pattern(fault: _Fault) -> str:
    form = fault.schema.get("description", f"of the form {fault.wanted}")
    return f"must be {form}, not {_shown(fault.instance)}"


_MESSAGES: dict[str, Callable[[_Fault], str]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minItems": lambda _: "must not be empty",
    "minLength": lambda _: "must not be empty",
    "minProperties": lambda _: "must not be empty",
    "maxItems": lambda fault: f"has more than {fault.wanted} elements",
    "maxLength": lambda fault: f"is longer than {fault.wanted} characters",
    "maxProperties": lambda fault: f"has more than {fault.wanted} members",
    "uniqueItems": lambda _: "lists something twice",
    "minimum": lambda fault: f"must be at least {fault.wanted}",
    "maximum": lambda fault: f"must be at most {fault.wanted}",
    "exclusiveMinimum": lambda fault: f"must be above {fault.wanted}",
}


def _name(route: Route) -> str:
    if not route:
        return "the file"
    last = route[-1]
    return f'"{last}"' if isinstance(last, str) else f"{_name(route[:-1])}, element {last + 1},"


def _described(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "…"


def _guess(value: Any, known: list[str]) -> str:
    close = get_close_matches(str(value), known, n=1)
    return f' (meant "{close[0]}"?)' if close else ""
