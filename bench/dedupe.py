"""What finding repeats costs: CPU time an event against a filled window, and memory a million ids.

Measured as intake does it: the fingerprint of each event, then ``Sighted.classify`` over ``PartitionSightings`` in
chunks of 256, then adding what the batch saw first; 5 % of the events are repeats. The reference, in the same run, is
one SHA-256 of the same event's bytes, and a plain ``dict`` of the same ids for memory. Prints a table and, on the last
line, JSON; CPU time of one process, best of several runs.
"""

from __future__ import annotations

import gc
import hashlib
import json
import random
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.domain.event import Invalid
from tamis.domain.sightings import Sighted, fingerprints
from tamis.envelopes.decoder import Decoder
from tamis.stores.sightings.partition import PartitionSightings, SightingsPolicy

if TYPE_CHECKING:
    from tamis.domain.event import Event

HELD, EVENTS, CHUNK, BATCH, RUNS = 2_000_000, 8_000, 256, 2_048, 25
WINDOW_MINUTES, STEP_MINUTES = 24 * 60, 15
MILLION = 1_000_000
TARGET_US = 2.0
START = 1_795_168_800_000
START_MINUTE = START // 60_000


def main() -> None:
    """Measure and print."""
    values, events = _events()
    with tempfile.TemporaryDirectory() as folder:
        store = PartitionSightings(Path(folder) / "0", SightingsPolicy())
        minute = _fill(store)
        held, table_bytes = HELD, store.size
        minted, found = _measure(store, events, minute)
        resident = sum(path.stat().st_blocks * 512 for path in Path(folder).rglob("*.seen"))
        store.close()
    digest = min(_timed(lambda: [hashlib.sha256(value).digest() for value in values]) for _ in range(RUNS))
    dict_bytes = _dict_bytes()
    report: dict[str, Any] = {
        "ids_in_window": held,
        "fingerprint_us": round(minted, 3),
        "classify_us": round(found, 3),
        "total_us": round(minted + found, 3),
        "target_us": TARGET_US,
        "sha256_us": round(digest, 3),
        "ratio_to_sha256": round((minted + found) / digest, 2),
        "table_bytes_per_million": round(table_bytes / held * MILLION),
        "on_disk_bytes_per_million": round(resident / held * MILLION),
        "dict_bytes_per_million": dict_bytes,
    }
    print(f"{held:,} ids in a window of 24 h, {EVENTS:,} events, 5 % repeats; µs of CPU an event")
    rows = ("fingerprint_us", "classify_us", "total_us", "target_us", "sha256_us", "ratio_to_sha256")
    for name in rows:
        print(f"  {name:<28}{report[name]:>10.2f}")
    print("bytes a million ids")
    for name in ("table_bytes_per_million", "on_disk_bytes_per_million", "dict_bytes_per_million"):
        print(f"  {name:<28}{report[name]:>14,}")
    print(json.dumps(report))


def _events() -> tuple[list[bytes], list[Event]]:
    decode = Decoder(bytes(32)).decode
    values = [_body(number if number % 20 else max(0, number - 7)) for number in range(EVENTS)]
    events: list[Event] = []
    for value in values:
        found = decode(value, (), START)
        assert not isinstance(found, Invalid)
        events += [event for event in found if not isinstance(event, Invalid)]
    assert len(events) == EVENTS
    return values, events


def _body(number: int) -> bytes:
    return json.dumps(
        {
            "type": "track",
            "messageId": f"ajs-next-{number:032x}",
            "event": "PDF Download",
            "anonymousId": f"device-{number % 9_973}",
            "timestamp": "2026-11-20T10:00:00.000Z",
            "sentAt": f"2026-11-20T10:00:{number % 60:02}.500Z",
            "properties": {"file": f"guide-{number % 40}.pdf", "extension": "pdf", "pages": number % 80},
            "context": {
                "page": {"url": "https://shop.example.test/guides?utm_source=mail", "path": "/guides"},
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0",
                "library": {"name": "analytics.js", "version": "2.1.0"},
                "locale": "fr-FR",
            },
        },
        separators=(",", ":"),
    ).encode()


def _fill(store: PartitionSightings) -> int:
    """Two windows of other events at a steady rate: the tables of a settled partition. Gives the last minute."""
    draw, per_step = random.Random(1), HELD * STEP_MINUTES // WINDOW_MINUTES
    last = START_MINUTE + 2 * WINDOW_MINUTES
    for minute in range(START_MINUTE, last, STEP_MINUTES):
        store.add(minute, draw.randbytes(24 * per_step))
    return last


def _measure(store: PartitionSightings, events: list[Event], minute: int) -> tuple[float, float]:
    """µs an event: fingerprints, and everything else; each run has other ids, so that first sightings stay first."""
    fingerprint_all = fingerprints(bytes(32))
    minted, classified = [], []
    for run in range(RUNS):
        ids = [hashlib.sha256(f"{run}/{event.event_id}".encode()).digest()[:16] for event in events]
        begun = time.process_time_ns()
        said = [each for first in range(0, EVENTS, CHUNK) for each in fingerprint_all(events[first : first + CHUNK])]
        minted.append(time.process_time_ns() - begun)
        times = [minute * 60_000] * len(events)
        repeats = 0
        begun = time.process_time_ns()
        for first in range(0, len(events), BATCH):
            sighted = Sighted(store.find)
            for start in range(first, min(first + BATCH, len(events)), CHUNK):
                part = slice(start, start + CHUNK)
                repeats += sum(1 for one in sighted.classify(ids[part], said[part], times[part]) if one is not None)
            for at, entries in sighted.fresh.items():
                store.add(at, b"".join(entries))
        classified.append(time.process_time_ns() - begun)
        assert repeats == len(events) // 20 - 1, repeats
    return min(minted) / len(events) / 1000, min(classified) / len(events) / 1000


def _timed(call: Any) -> float:
    begun = time.process_time_ns()
    call()
    return (time.process_time_ns() - begun) / EVENTS / 1000


def _dict_bytes() -> int:
    """Bytes that a dictionary of id -> (minute, fingerprint) takes a million ids."""
    count, draw = MILLION // 4, random.Random(2)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    seen = {draw.randbytes(16): (START_MINUTE, draw.randbytes(8)) for _ in range(count)}
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round((after - before) / len(seen) * MILLION)


if __name__ == "__main__":
    main()
