"""An example event of a rule, made from what the rule says.

Rules: an example is shown only if the engine itself decodes it, tags it with the rule (sessions aside) and finds no
violation; a rule for which none can be made has none.
Not handled here: texts for patterns (``matches``, ``pattern``) and negations.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tamis.domain.event import Event, Invalid
from tamis.domain.rules import CompiledRule
from tamis.envelopes.decoder import Decoder

Values = Mapping[str, Any]
_KINDS = ("track", "page", "identify", "group", "alias")
_NOON = "2026-01-15T12:00:00.000Z"
_NOON_MS = 1_768_478_400_000
_BY_TYPE: Values = {"string": "text", "number": 1, "integer": 1, "boolean": True, "object": {}, "array": [],
                    "null": None}  # fmt: skip


def example_of(compiled: CompiledRule, written: Values) -> dict[str, Any] | None:
    """A call in the analytics.js form that gets the rule's tag, None when none could be made."""
    match = written["match"]
    for way in match if isinstance(match, list) else [match]:
        body = _body(way, written.get("schema", {}))
        if body is not None and _fits(compiled, body):
            return body
    return None


def _body(way: Values, schema: Values) -> dict[str, Any] | None:
    kind = next((kind for kind in way.get("kinds", ["track"]) if kind in _KINDS), None)
    if kind is None:
        return None
    body: dict[str, Any] = {"type": kind, "messageId": "5f0c1d3e-0001", "anonymousId": "b7f9c2d4-0001",
                            "timestamp": _NOON, "properties": _value({"type": "object", **schema})}  # fmt: skip
    if way.get("events"):
        body["event" if kind == "track" else "name"] = way["events"][0]
    for path, value in _wanted(way.get("when") or {}):
        keys = path.split(".")
        place = body
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                return None
        place[keys[-1]] = value
    return body


def _wanted(when: Values) -> Iterator[tuple[str, Any]]:
    """Paths and values that make a condition true, where that is easy to tell."""
    if "any" in when:
        yield from _wanted(when["any"][0])
    for inner in when.get("all", ()):
        yield from _wanted(inner)
    if "path" in when:
        path = when["path"]
        for operator in ("eq", "prefix", "suffix", "contains", "ge", "le"):
            if operator in when:
                yield path, when[operator]
        if "in" in when:
            yield path, when["in"][0]
        if "gt" in when:
            yield path, when["gt"] + 1
        if "lt" in when:
            yield path, when["lt"] - 1
        if when.get("exists") is True:
            yield path, "text"


def _value(schema: Values) -> Any:
    """A value that is meant to be valid."""
    for known in ("examples", "enum"):
        if schema.get(known):
            return schema[known][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        inner = schema.get("properties", {})
        return {name: _value(inner.get(name, {})) for name in dict.fromkeys([*schema.get("required", ()), *inner])}
    if kind == "array":
        return [_value(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    if kind == "string":
        return "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
    if kind in ("number", "integer"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return min(low, schema["maximum"]) if "maximum" in schema else low
    return _BY_TYPE[kind]


def _fits(compiled: CompiledRule, body: dict[str, Any]) -> bool:
    found = Decoder(b"example" * 8).decode(json.dumps(body).encode(), (), _NOON_MS)
    if isinstance(found, Invalid) or len(found) != 1 or not isinstance(found[0], Event):
        return False
    return compiled.matches(found[0]) and not compiled.check(found[0])
