"""JSON Schemas of what tamis writes, made from the types in ``records``.

Rules: a schema says what the type says; what a type's docstring tells of its attributes stands at the properties; only
keywords that mean the same in JSON Schema 2020-12 and draft-07 are used, so that one schema serves both readers.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tamis.domain.bundle import Destination
from tamis.domain.consent.retraction import Retraction
from tamis.records.alert import Alert
from tamis.records.differences import ShadowRecord
from tamis.records.late import LateEvent
from tamis.records.metrics import MinuteClosed, PublicCount, RollUp, Window
from tamis.records.outputs import CleanEvent, QuarantineEntry
from tamis.records.review import Sample
from tamis.records.topics import Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

# Topics that others read, and the types of their values.
READ: Mapping[Topic, tuple[type, ...]] = {
    Topic.CRM_RETRACTIONS: (Retraction,),
    Topic.EVENTS_QUARANTINE: (QuarantineEntry,),
    Topic.REVIEW_LATE: (LateEvent,),
    Topic.METRICS_WINDOWS: (Window, MinuteClosed),
    Topic.METRICS_ROLLUPS: (RollUp,),
    Topic.METRICS_PUBLIC: (PublicCount,),
    Topic.ALERTS: (Alert,),
    Topic.RULES_SHADOW: (ShadowRecord,),
    Topic.REVIEW_SAMPLES: (Sample,),
}
_TEXT: Schema = {"type": "string"}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_BY_ACTION: Mapping[str, Schema] = {"keep": _SCALAR, "bucket": {"type": "number"}}
_ATTRIBUTE = re.compile(r"^    (\w+(?:, \w+)*): ((?:.|\n        )+)", re.MULTILINE)


def schema_of(kind: type) -> Schema:
    """The schema of a type's JSON."""
    _, found = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    schema = _plain(found[kind.__name__], found)
    assert isinstance(schema, dict)
    text = inspect.cleandoc(kind.__doc__ or "")
    schema["description"] = text.partition("\n")[0].replace("``", "`")
    for names, meaning in _ATTRIBUTE.findall(text.partition("Attributes:")[2]):
        for name in names.split(", "):
            if name in schema.get("properties", {}):
                schema["properties"][name]["description"] = " ".join(meaning.replace("``", "`").split())
    return schema


def _plain(node: Any, parts: Mapping[str, Any]) -> Any:
    """A copy with references written out and tuples as arrays of so many elements."""
    if isinstance(node, list):
        return [_plain(each, parts) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(parts[node["$ref"].rpartition("/")[2]], parts)
    found = {name: _plain(value, parts) for name, value in node.items() if name not in ("prefixItems", "discriminator")}
    if "prefixItems" in node:
        kinds = sorted({kind for each in node["prefixItems"] for kind in [each.get("type", "string")]})
        count = len(node["prefixItems"])
        found |= {"items": {"type": kinds}, "minItems": count, "maxItems": count}
        found["description"] = " ".join(str(found.get("description", "")).replace("``", "`").split())
    return found


def destination_schema(destination: Destination, written: Mapping[str, Any], tags: Mapping[str, str]) -> Schema:
    """The schema of one destination's records: those of ``CleanEvent`` with its allowed fields and no others.

    Args:
        destination: whose.
        written: the destination as configured.
        tags: rule id -> stage, of the active rules whose events it may get.
    """
    schema = schema_of(CleanEvent)
    schema["title"] = f"Record for {destination.id}"
    properties = schema["properties"]
    properties["fields"] = {
        "type": "object",
        "description": "What the allow-list lets out; a field that is absent or unfit in the event is left out.",
        "properties": {name: _field(written["fields"][name]) for name in destination.field_names},
        "additionalProperties": False,
    }
    untagged = [] if destination.accepts == "tagged" and tags else [""]
    properties["rule"]["enum"] = [*untagged, *tags]
    properties["stage"]["enum"] = [*untagged, *sorted(set(tags.values()))]
    if destination.accepts == "tagged":
        schema["required"] = [*schema["required"], "rule", "stage"]
        for name in ("rule", "stage"):
            del properties[name]["default"]
    pattern = rf"^v1\.{re.escape(destination.id)}\.[^.]+\.[A-Za-z0-9_-]{{22}}$"
    properties["subject"]["pattern"] = pattern
    return schema


def _field(line: Mapping[str, Any]) -> Schema:
    action = line["action"]
    options = ", ".join(f"{name} {value}" for name, value in line.items() if name not in ("from", "action", "why"))
    kind = _BY_ACTION.get(action, _TEXT)
    return {**kind, "description": f"{line['from']}: {action}{f' ({options})' if options else ''}"}
