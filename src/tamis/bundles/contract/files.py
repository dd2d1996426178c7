"""The contract as files: ``asyncapi.json``, ``schemas/<message>.schema.json`` and ``rules/<id>.md``.

Rules: equal bundles and layouts give equal bytes.
"""

import json
from collections.abc import Iterator
from typing import Any

from tamis.bundles.contract.asyncapi import Layout, channels, document, written
from tamis.bundles.contract.record_schemas import DIALECT
from tamis.bundles.contract.rule_page import page
from tamis.domain.bundle import Bundle

DOCUMENT = "asyncapi.json"


def contract_files(bundle: Bundle, layout: Layout) -> dict[str, str]:
    """Names of files and what they hold."""
    return dict(_files(bundle, layout))


def _files(bundle: Bundle, layout: Layout) -> Iterator[tuple[str, str]]:
    yield DOCUMENT, _json(document(bundle, layout))
    for channel in channels(bundle):
        for name, message in channel.messages.items():
            if "type" in message["payload"]:
                schema = {"$schema": DIALECT, **message["payload"]}
                yield f"schemas/{channel.spec.name}.{name}.schema.json", _json(schema)
    for compiled, lines in zip(bundle.rules.rules, written(bundle)["rules"], strict=True):
        yield f"rules/{compiled.rule.id}.md", page(compiled, lines, bundle)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
