"""Requests captured from real clients (tests/vectors/payloads), their record headers, and ways to damage them."""

import json
import os
import random
from datetime import datetime
from pathlib import Path
from typing import Any

from tamis.services.requests import headers_of

FOLDER = Path(__file__).parents[1] / "vectors" / "payloads"
SHARED = Path(os.environ.get("TAMIS_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "payloads"
CONSENT_VENDORS = frozenset(("cookiebot", "didomi", "fides", "ketch", "onetrust", "trustarc", "usercentrics"))
FILES = [path for path in sorted(FOLDER.glob("*/*.json")) if path.parent.name not in CONSENT_VENDORS]
RECEIVED_AT = 1_795_400_000_000
KEY = b"k" * 32


def load(path: Path) -> dict[str, Any]:
    """One captured request."""
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def record(payload: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of the Kafka record that would carry it."""
    return payload["body"].encode(), list(headers_of(payload["headers"], payload["endpoint"]))


def instant(text: str | None) -> datetime | None:
    """A time of ``expect``."""
    return None if text is None else datetime.fromisoformat(text)


def millis(text: str | None) -> int | None:
    """The same in milliseconds since the epoch."""
    return None if text is None else int(datetime.fromisoformat(text).timestamp() * 1_000_000) // 1000


def damaged(body: bytes, dice: random.Random) -> bytes:
    """The body cut, changed in one byte, with bytes missing, or with something put in."""
    if not body:
        return body
    kind = dice.randrange(5)
    place = dice.randrange(len(body))
    if kind == 0:
        return body[:place]
    if kind == 1:
        return body[:place] + bytes([dice.randrange(256)]) + body[place + 1 :]
    if kind == 2:
        return body[:place] + body[place + dice.randrange(1, 40) :]
    if kind == 3:
        other = dice.randrange(len(body))
        return body[:place] + body[other : other + dice.randrange(1, 60)] + body[place:]
    noise = (
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"null",
        b"1e999",
        b"\\ud800",
        b"%",
        b"&",
        b"\t",
        b"%F0%9F",
        b"=",
        b"\n",
        b":[]",
    )
    return body[:place] + dice.choice(noise) + body[place:]
