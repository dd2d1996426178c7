"""The canonical source of a bundle: one JSON text that says all of it, and its hash.

Rules: UTF-8 JSON with sorted keys, no spaces, no escapes that JSON does not need; comments, layout and file names do
not count; the order of rules and destinations does. The hash is the first 16 hexadecimal characters of its SHA-256.
"""

import hashlib
import json
from typing import Any

from tamis.bundles.document import Document
from tamis.bundles.folder import Parts
from tamis.bundles.problem import Problem
from tamis.bundles.schema_check import check_shape

VERSION = 1
HASH_CHARS = 32
NAME = "bundle"


def canonical(parts: Parts) -> bytes:
    """The canonical source of complete parts."""
    assert parts.destinations is not None
    assert parts.policy is not None
    whole = {
        "v": VERSION,
        "rules": [rule for document in parts.rules for rule in document.value["rules"]],
        "destinations": parts.destinations.value["destinations"],
        "policy": parts.policy.value,
    }
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def bundle_hash(source: bytes) -> str:
    """What names a bundle."""
    return hashlib.sha256(source).hexdigest()[:HASH_CHARS]


def read_source(source: bytes) -> tuple[Parts, list[Problem]]:
    """The parts that a canonical source was made of; problems carry no lines."""
    nothing = Parts((), None, None, complete=False)
    try:
        whole: Any = json.loads(source)
    except (ValueError, RecursionError):
        return nothing, [Problem(NAME, 1, None, "not JSON")]
    if not isinstance(whole, dict) or whole.get("v") != VERSION:
        return nothing, [Problem(NAME, 1, None, f"not a bundle of version {VERSION}")]
    rules = Document(NAME, {"rules": whole.get("rules")}, {})
    destinations = Document(NAME, {"destinations": whole.get("destinations")}, {})
    policy = Document(NAME, whole.get("policy"), {})
    problems = check_shape(rules, "rules") + check_shape(destinations, "destinations") + check_shape(policy, "policy")
    return Parts((rules,), destinations, policy, complete=True), problems
