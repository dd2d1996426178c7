"""The audit log alone: a worker's step for each event, the sealer's, and the verifier's, beside SHA-256 in one process.

``python -m bench.audit [--events N] [--json FILE]``. CPU µs per event on one core, best of several alternating runs.
``sha256`` is one digest of a leaf's bytes, which each of them must take at least once. The worker's whole step is the
event's commitment, the leaf's frame, and tree, head and signature of batches of 500 events; facts are made once a
decision, not once an event. The keyed tag of the event's id, which stands in the leaf too, is what dedupe looks for and
ids are made of: it is shown apart. The sealer's step is check and tiles on disk, without Kafka; the verifier reads a
sealer's folder with signatures, tiles and checkpoint.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamis.domain.audit.control import ControlState
from tamis.domain.audit.leaf import HEAD_HEADER, LeafFrame
from tamis.domain.audit.log import AuditLog
from tamis.domain.audit.origin import LogOrigin
from tamis.domain.keyed import hmac_hex, mac_all, pads
from tamis.domain.pseudonym import TAG_BYTES, commitment_key
from tamis.kafka.reader import TopicRecord
from tamis.keys.sealer import SealingKeys, new_entry
from tamis.services.log_sealer import ControlSealer, LogSealer, SealPolicy
from tamis.services.sealed_check import verify_sealed
from tamis.services.sealer import wall_ms
from tamis.services.sequencer import Sequencer
from tamis.stores.sealer_store import SealerStore
from tamis.streaming.agents.audit_key import InMemorySigner

BATCH = 500
EVENT_BYTES = 700
WORKER = ("commitment", "leaf's frame", "tree, head, signature")
RUNS = 3
BASE = "localhost/tamis"
ENROL = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
FACTS = '"facts":{"device":{"analytics":["granted",12,"segment"],"marketing":["denied",12,"segment"]}},"inline":"-",'
CLOCK = 1_795_475_101_007


def _leaves(first: int, count: int, frame: LeafFrame) -> list[bytes]:
    return [
        frame.leaf(
            occurred_at=CLOCK - 20, commitment="c" * 32,
            destinations='"dest":{"analytics":"granted","hubspot":"denied"}',
            event_id="e" * 32, facts=f'{FACTS}"out":"accepted","pid":"v1.audit.1.aaaaaaaaaaaaaaaaaaaaaa","reg":"gdpr",',
            rule='"rev":{"device":3},"rule":"checkout@1"', seq=first + i, index=0, offset=first + i, received_at=CLOCK,
            why="granted",
        )
        for i in range(count)
    ]  # fmt: skip


def _records(events: int, signer: InMemorySigner) -> list[TopicRecord]:
    """A log of so many events as the topic holds it."""
    log, frame = AuditLog(str(LogOrigin(BASE, "audit.log", 0))), LeafFrame("b" * 16, "events.raw", 0)
    log.signer, values = signer, list[tuple[bytes, bool]]()
    for first in range(0, events, BATCH):
        leaves = _leaves(first, BATCH, frame)
        head = log.append(leaves, {"accepted": BATCH}, first, first + BATCH, CLOCK, None)
        values += [(leaf, False) for leaf in leaves] + [(head or b"", True)]
    return [
        TopicRecord(topic="audit.log", partition=0, offset=n, timestamp=wall_ms(), key=None, value=value,
                    headers=(HEAD_HEADER,) if head else ())
        for n, (value, head) in enumerate(values)
    ]  # fmt: skip


def _worker(values: list[list[bytes]], signer: InMemorySigner) -> None:
    log = AuditLog(str(LogOrigin(BASE, "audit.log", 0)))
    log.signer = signer
    for number, leaves in enumerate(values):
        log.notices(None, "events.raw", 0)
        log.append(leaves, {"accepted": BATCH}, number * BATCH, (number + 1) * BATCH, CLOCK, None)


def _committed(events: list[bytes]) -> None:
    """Commitments under the key of the events' subject."""
    keyed = pads(commitment_key(b"s" * 32))
    for event in events:
        hmac_hex(keyed, event)


def _tagged(ids: list[bytes]) -> None:
    """Tags of event ids, a batch at a time."""
    tags = mac_all(b"t" * 32, TAG_BYTES)
    for first in range(0, len(ids), BATCH):
        tags(ids[first : first + BATCH])


def _seal(folder: Path, records: list[TopicRecord], signer: InMemorySigner, keys: SealingKeys) -> None:
    store = SealerStore(folder / "state")
    control = ControlSealer(BASE, folder, store, "audit.control")
    sequencer = Sequencer(control.origin, store, ENROL.public_key().public_bytes_raw(), ("audit.log",), wall_ms)
    sequencer.publish_keys(keys)
    sequencer.take(signer.registration, 0)
    sequencer.keep()
    sealed = control.seal()
    assert sealed is not None
    control.tiles.checkpoint(keys.seal(control.name, str(sealed[0]), wall_ms()).encode())
    state: ControlState = sequencer.state
    log = LogSealer(
        LogOrigin(BASE, "audit.log", 0), folder, store, state, SealPolicy(topic="events.raw", wall_time=False), wall_ms
    )
    every = 50_000
    for start in range(0, len(records), every):
        for record in records[start : start + every]:
            if not log.unknown_key(record):
                log.feed(record)
        old, checkpoint = log.checkpoint.size, log.seal()
        assert checkpoint is not None, log.failure
        log.signed(keys.seal(log.name, str(checkpoint), wall_ms()).encode(), old)
    store.close()


def _best(programs: dict[str, Callable[[], None]], events: int) -> dict[str, float]:
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(RUNS):
        for name, program in programs.items():
            start = time.process_time_ns()
            program()
            best[name] = min(best[name], (time.process_time_ns() - start) / events / 1000)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    events = chosen.events // BATCH * BATCH
    signer, keys = InMemorySigner(wall_ms(), 86_400_000, ENROL.sign), SealingKeys((new_entry("2026", wall_ms()),))
    records = _records(events, signer)
    frame = LeafFrame("b" * 16, "events.raw", 0)
    batches = [_leaves(first, BATCH, frame) for first in range(0, events, BATCH)]
    values = [leaf for batch in batches for leaf in batch]
    bodies = [b'{"n":%d,' % n + b"x" * (EVENT_BYTES - 16) for n in range(events)]
    ids = [b"m-%028d" % n for n in range(events)]
    root = Path(tempfile.mkdtemp(prefix="tamis-bench-"))
    folder = root / "kept"
    _seal(folder, records, signer, keys)
    trusted = keys.vkeys(BASE)

    def digests() -> None:
        for value in values:
            hashlib.sha256(value).digest()

    def framed() -> None:
        for first in range(0, events, BATCH):
            _leaves(first, BATCH, frame)

    def seal() -> None:
        shutil.rmtree(root / "again", ignore_errors=True)
        _seal(root / "again", records, signer, keys)

    def verify() -> None:
        assert all(report.ok and report.sealed for report in verify_sealed(folder, trusted))

    try:
        found = _best(
            {
                "sha256": digests,
                "commitment": lambda: _committed(bodies),
                "leaf's frame": framed,
                "tree, head, signature": lambda: _worker(batches, signer),
                "event's tag": lambda: _tagged(ids),
                "sealer": seal,
                "verify": verify,
            },
            events,
        )
    finally:
        shutil.rmtree(root)
    found = {"sha256": found["sha256"], "worker's whole step": sum(found[name] for name in WORKER), **found}
    print(f"{events:,} events of {EVENT_BYTES} bytes in batches of {BATCH}, leaves of {len(values[0])} bytes")
    for name, micros in found.items():
        print(f"{name:<24}{micros:8.2f} µs{1e6 / micros:14,.0f} /s{micros / found['sha256']:8.1f} x sha256")
    if chosen.json:
        chosen.json.write_text(json.dumps({"events": events, "batch": BATCH, "micros": found}, indent=2))


if __name__ == "__main__":
    main()
