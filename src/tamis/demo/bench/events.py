"""The benchmark's input: seeded Segment events of about 700 bytes from 20,000 subjects, and their consent.

Rules: the same seed gives the same bytes; 70 % of subjects agree to analytics, half to marketing; 2 % of the records
are malformed; an event has one of eight names, some of which have a rule in the sample configuration.
"""

import random
from collections.abc import Iterator

import orjson

from tamis.kafka.loading import Outgoing

SUBJECTS = 20_000
_UA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
_NAMES = ("newsletter_signup", "pdf_download", "video_75", "wishlist_add", "page_viewed", "scroll_90", "cta_click",
          "form_start")  # fmt: skip
_MALFORMED_EVERY = 50


def subject(number: int) -> str:
    """Device id of a subject."""
    return f"{number * 2_654_435_761 % (1 << 32):08x}-0000-4000-8000-{number:012x}"


def agrees(number: int) -> dict[str, bool]:
    """What a subject said, in the vendor's words."""
    return {"Advertising": number % 2 == 0, "Analytics": number % 10 < 7, "Functional": True}  # noqa: PLR2004 - 70 %


def events(count: int, partitions: int, at_ms: int | None = None, seed: int = 1) -> Iterator[Outgoing]:
    """``count`` events over all partitions; ``at_ms`` is their time, None for a fixed one."""
    random_number = random.Random(seed).randrange  # noqa: S311 - test traffic
    stamp = _iso(at_ms) if at_ms is not None else "2026-11-20T10:15:30.123Z"
    for number in range(count):
        value = b'{"type":"track"' if number % _MALFORMED_EVERY == 0 else _event(number, random_number(SUBJECTS), stamp)
        yield Outgoing(number % partitions, None, value)


def timed(number: int, partitions: int, at_ms: int) -> Outgoing:
    """One event that happened at ``at_ms``."""
    return Outgoing(number % partitions, None, _event(number, number * 7919 % SUBJECTS, _iso(at_ms)))


def _event(number: int, who: int, stamp: str) -> bytes:
    return orjson.dumps(
        {
            "type": "track", "messageId": f"{number:08x}-1111-4000-8000-{number:012x}", "event": _NAMES[number % 8],
            "anonymousId": subject(who), "userId": None, "timestamp": stamp, "sentAt": stamp,
            "context": {
                "ip": "203.0.113.77", "userAgent": _UA, "locale": "fr-FR",
                "page": {"url": "https://shop.example.test/p/42?email=a%40b.example&utm_source=x", "path": "/p/42",
                         "referrer": "https://shop.example.test/"},
                "campaign": {"source": "x", "medium": "cpc", "name": "nov"},
                "consent": {"categoryPreferences": agrees(who)},
            },
            "properties": {"value": 12.5, "currency": "EUR", "sku": "A-1042", "stage": "consideration", "n": number},
        }
    )  # fmt: skip


def consents(partitions: int, at_ms: int) -> Iterator[Outgoing]:
    """One statement per subject for ``consent.raw``, in Segment's form."""
    stamp = _iso(at_ms)
    for number in range(SUBJECTS):
        body = {
            "type": "track", "event": "Segment Consent Preference Updated", "messageId": f"consent-{number}",
            "anonymousId": subject(number), "timestamp": stamp,
            "context": {"consent": {"categoryPreferences": agrees(number)}},
        }  # fmt: skip
        yield Outgoing(number % partitions, None, orjson.dumps(body))


def _iso(at_ms: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - once a run

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
