"""The JSON Schema a rule demands of its events: what its shape alone does not show.

Rules: a required property is described; bounds are not crossed; patterns are RE2; nesting is bounded; ``items`` and
``properties`` belong to lists and objects.
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.domain.patterns import pattern_fault

MAX_DEPTH = 6
_PAIRS = (("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum"), ("minLength", "maxLength"),
          ("minItems", "maxItems"))  # fmt: skip
_BELONGS = {"properties": "object", "required": "object", "additionalProperties": "object", "items": "array",
            "minItems": "array", "maxItems": "array", "pattern": "string", "minLength": "string",
            "maxLength": "string"}  # fmt: skip


def check_schema(schema: Place, depth: int = 1) -> Iterator[Problem]:
    """What is wrong with a schema and those within it."""
    if not isinstance(schema.value, dict):
        return
    if depth > MAX_DEPTH:
        yield schema.error(f"properties nested deeper than {MAX_DEPTH} levels")
        return
    known = {name for name, _ in schema.at("properties").members()}
    for name, place in schema.at("required").texts():
        if name not in known:
            yield place.error(f'required property "{name}" is not described under properties')
    yield from _keywords(schema)
    for _, member in schema.at("properties").members():
        yield from check_schema(member, depth + 1)
    yield from check_schema(schema.at("items"), depth + 1)


def _keywords(schema: Place) -> Iterator[Problem]:
    for low, high in _PAIRS:
        least, most = schema.value.get(low), schema.value.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            yield schema.at(low).error(f"{low} is above {high}: no value fits")
    pattern = schema.value.get("pattern")
    if isinstance(pattern, str) and (fault := pattern_fault(pattern)):
        yield schema.at("pattern").error(f"not a usable pattern: {fault}")
    kinds = schema.value.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    for name in schema.value if isinstance(kinds, list) else ():
        if name in _BELONGS and _BELONGS[name] not in kinds:
            yield schema.at(name).error(f"{name} has no effect on {' or '.join(map(str, kinds))}")
