"""What holding costs: CPU µs an event to hold, to forward and to release, beside accepting and denying at once.

Best of several alternating runs over the same bodies in one process, a table and then JSON; no broker. The reference
is intake of the same events, accepted; the ratio is to it.
"""

import hmac
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from tamis.bundles.load import load_bundle
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.epochs import Epochs
from tamis.domain.keyring import Keyring
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake
from tamis.records.batch import Emissions, RawBatch
from tamis.records.topics import Topic
from tamis.release import Release

EVENTS, SUBJECTS, RUNS = 4_000, 500, 7
NOW = 1_795_475_101_007


class Stored(msgspec.Struct):
    """A record as the transport gives it."""

    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Table:
    """Consent of all subjects: ``said`` or nothing."""

    def __init__(self, keyring: Keyring) -> None:
        self._keys = [keyring.subjects.device(f"device-{n}") for n in range(SUBJECTS)]
        self._version = 0
        self.records: dict[str, SubjectRecord] = {}
        self.get = self.records.get

    def say(self, status: Status | None) -> None:
        """From now on."""
        at = NOW - 86_400_000
        said = PurposeVersion(status=status, effective_at=at, recorded_at=at, source="bench") if status else None
        purposes: dict[str, tuple[PurposeVersion, ...]] = {}
        if said is not None:
            purposes = {f"gdpr/{name}": (said,) for name in ("analytics", "marketing")}
        record = SubjectRecord(salt="A" * 43, revision=1, identity="device", purposes=purposes)
        self.records.update(dict.fromkeys(self._keys, record))
        self._version += 1

    def version(self) -> int:
        """Changes with each ``say``."""
        return self._version


def _derive(label: str) -> bytes:
    return hmac.digest(b"bench", label.encode(), "sha256")


def _bodies() -> list[bytes]:
    page = {
        "page": {"url": "https://shop.example.test/a/b"},
        "userAgent": "Mozilla/5.0 (X11) Firefox/131",
    }
    call = {"type": "track", "event": "quote_started", "context": page, "properties": {"estimate": 1200, "sku": "A-7"}}
    return [
        msgspec.json.encode(call | {"messageId": f"m-{n}", "anonymousId": f"device-{n % SUBJECTS}"})
        for n in range(EVENTS)
    ]


class Bench:
    """The steps over one bundle that holds and one that does not."""

    def __init__(self, bundle: Bundle) -> None:
        ring = Keyring(_derive, Epochs("1"), [destination.id for destination in bundle.destinations])
        self.table = Table(ring)
        decoder = Decoder(_derive("event-id"))
        never = msgspec.structs.replace(bundle, policy=msgspec.structs.replace(bundle.policy, hold=None))
        self.core = Intake(bundle, ring, self.table, decoder)
        self.plain = Intake(never, ring, self.table, decoder)
        self.raw = [Stored(number, NOW, body) for number, body in enumerate(_bodies())]

    def intake(self, core: Intake) -> tuple[float, Emissions]:
        """Seconds of CPU, and what it gave."""
        batch = RawBatch(Topic.EVENTS_RAW, 0, self.raw, 0, EVENTS, NOW)
        began = time.process_time()
        found = core.process(AuditLog("bench/audit.log/p0/e1"), batch)
        return time.process_time() - began, found

    def release(self, held: list[Stored], word: str) -> float:
        """Seconds of CPU to decide all of them again; they must end as ``word``."""
        batch = RawBatch(Topic.EVENTS_HELD, 0, held, 0, len(held), NOW + 10_000)
        began = time.process_time()
        found = Release(self.core, last=False).process(AuditLog("bench/audit.held/p0/e1"), batch)
        spent = time.process_time() - began
        assert {outcome for outcome, _ in found.fates} == {word}
        return spent

    def run(self) -> dict[str, float]:
        """Seconds of one round of everything."""
        spent: dict[str, float] = {}
        self.table.say(Status.GRANTED)
        spent["accepted"], found = self.intake(self.core)
        assert found.tally.by_outcome() == {"accepted": EVENTS}
        self.table.say(None)
        spent["denied at once"], _ = self.intake(self.plain)
        spent["held"], found = self.intake(self.core)
        held = [Stored(n, NOW, value, key) for n, (key, value) in enumerate(found.outputs[Topic.EVENTS_HELD])]
        assert len(held) == EVENTS
        spent["forwarded"] = self.release(held, "forwarded")
        self.table.say(Status.GRANTED)
        spent["released"] = self.release(held, "released")
        return spent


def main() -> None:
    """Prints the table, then JSON."""
    bundle = load_bundle(Path(__file__).resolve().parents[1] / "config" / "reference")
    assert isinstance(bundle, Bundle)
    bench = Bench(bundle)
    rounds = [bench.run() for _ in range(RUNS)]
    best = {name: min(each[name] for each in rounds) * 1e6 / EVENTS for name in rounds[0]}
    report: list[dict[str, Any]] = [
        {"step": name, "us_per_event": round(us, 1), "ratio": round(us / best["accepted"], 2)}
        for name, us in best.items()
    ]
    for line in report:
        print(f"{line['step']:<16} {line['us_per_event']:>7} us  {line['ratio']:>5} of accepting")
    print(json.dumps({"events": EVENTS, "runs": RUNS, "steps": report}))


if __name__ == "__main__":
    main()
