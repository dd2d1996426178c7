"""The JSON Schema of a privacy request (``privacy.requests``); what it means: ``consent_sources.privacy``."""

from collections.abc import Iterable
from typing import Any

from tamis.consent_sources.privacy import MAX_PURPOSES, TYPES


def privacy_request_schema(purposes: Iterable[str]) -> dict[str, Any]:
    """The schema, with the purposes that an objection may name."""
    who = {
        "type": "object",
        "description": "who asks; at least one of the two, none of them a placeholder",
        "properties": {
            "person": {"type": ["string", "integer"], "description": "the id that events carry as user id"},
            "device": {"type": ["string", "integer"], "description": "the id that events carry as device id"},
        },
        "anyOf": [{"required": ["person"]}, {"required": ["device"]}],
    }
    return {
        "title": "Privacy request",
        "type": "object",
        "required": ["type", "identity"],
        "properties": {
            "type": {"type": "string", "enum": list(TYPES)},
            "identity": who,
            "request": {"type": "string", "format": "uuid", "description": "the request's id, cited in its receipt"},
            "purposes": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_PURPOSES,
                "items": {"type": "string", "enum": sorted(purposes)},
                "description": "of an objection; all purposes when absent",
            },
            "lift": {"type": "boolean", "description": "of a restriction: it ends"},
        },
    }
