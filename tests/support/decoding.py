"""Decodes single bodies in tests: the only event, or why there is none."""

import json
from typing import Any

from tamis.domain.event import Event, Invalid
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Entry, SingleId

KEY = b"k" * 32
NOW = 1_795_319_504_084
Headers = dict[str, str]


def entries(body: Any, endpoint: str = "", headers: Headers | None = None, **options: Any) -> list[Entry]:
    """All entries; ``body`` is text as it stands, or JSON."""
    beside = [(name, value.encode()) for name, value in (headers or {}).items()]
    if endpoint:
        beside.append(("endpoint", endpoint.encode()))
    now = options.pop("now", NOW)
    options["single_id"] = SingleId(options.get("single_id", "nobody"))
    value = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
    found = Decoder(KEY, **options).decode(value, beside, now)
    return [found] if isinstance(found, Invalid) else found


def event(body: Any, endpoint: str = "", headers: Headers | None = None, **options: Any) -> Event:
    """The only event."""
    (found,) = entries(body, endpoint, headers, **options)
    assert isinstance(found, Event), found
    return found


def why(body: Any, endpoint: str = "", headers: Headers | None = None, **options: Any) -> tuple[str, str]:
    """Reason and path of the only refusal."""
    (found,) = entries(body, endpoint, headers, **options)
    assert isinstance(found, Invalid), found.vendor
    return found.reason, found.path
