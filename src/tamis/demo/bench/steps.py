"""The intake step alone, no Kafka: events in, records, leaves and counts out, beside a plain step in one process.

CPU µs per event, best of several alternating runs. ``plain step`` does a part of the job by hand (``plain_step``);
``sha256`` is one digest of the same bytes, which the step must take at least twice. Shares are of a warm run, taken
around each step of a few hundred events.
"""

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from tamis.demo.bench import events as traffic
from tamis.demo.bench.plain_step import PlainStep
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.epochs import Epochs
from tamis.domain.keyring import Keyring
from tamis.envelopes.decoder import Decoder
from tamis.intake import BatchRun, Intake
from tamis.records.batch import RawBatch
from tamis.records.dispatch import Outgoing

EVENTS = 40_000
BATCH = 4_000
RUNS = 5
START_MS = 1_795_475_101_007
_STEPS: tuple[tuple[str, Any, str], ...] = (
    ("rules, subject, consent", BatchRun, "decide"),
    ("minimise, records", Outgoing, "send"),
    ("commitments and leaves", BatchRun, "_write_leaves"),
    ("tree and head", AuditLog, "append"),
    ("counts", BatchRun, "_count"),
)
_WHOLE = "decode, validate, quarantine"


class _Record(msgspec.Struct):
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class _Consent:
    """The consent replica as a dict; ``changes`` is its version."""

    def __init__(self, keys: Keyring) -> None:
        self.changes = 0
        self._records = {keys.subjects.device(traffic.subject(n)): _record(n) for n in range(traffic.SUBJECTS)}
        self.get = self._records.get

    def version(self) -> int:
        return self.changes


class StepCosts(msgspec.Struct, frozen=True, kw_only=True):
    """CPU µs per event of the intake step and of what it is compared with, alternating in one process.

    Attributes:
        micros: "plain step", "sha256", "cold", "warm", and "a subject seen first" (per subject).
        shares: step -> part of a warm run, 0..1.
    """

    micros: dict[str, float]
    shares: dict[str, float]


def measure_steps(bundle: Bundle) -> StepCosts:
    """Runs the step over the benchmark's events, without Kafka; takes some ten seconds."""
    keys = Keyring(_derive, Epochs("1"), [destination.id for destination in bundle.destinations])
    consent = _Consent(keys)
    intake = Intake(bundle, keys, consent, Decoder(_derive("event-id")))
    records = [_Record(n, START_MS, out.value) for n, out in enumerate(traffic.events(EVENTS, 1, START_MS))]
    values = [record.value or b"" for record in records]
    plain = PlainStep(_derive("plain/clean"), _derive("plain/crm"))

    def warm() -> None:
        log = AuditLog("events.raw/0")
        for first in range(0, EVENTS, BATCH):
            intake.process(log, RawBatch("events.raw", 0, records[first : first + BATCH], first, first + BATCH, 0))

    def cold() -> None:
        consent.changes += 1
        warm()

    found = _alternate(
        {"plain step": lambda: plain.run(values), "sha256": lambda: _digests(values), "cold": cold, "warm": warm}
    )
    subject_us = (found["cold"] - found["warm"]) * EVENTS / traffic.SUBJECTS
    return StepCosts(micros={**found, "a subject seen first": subject_us}, shares=_shares(warm))


def rows(costs: StepCosts) -> list[str]:
    """The table."""
    plain, warm = costs.micros["plain step"], costs.micros["warm"]
    lines = [f"{name:<30}{micros:9.2f} µs{micros / plain:9.2f} x plain step" for name, micros in costs.micros.items()]
    return lines + [f"  {name:<28}{share:9.1%}{share * warm:9.2f} µs" for name, share in costs.shares.items()]


def _alternate(programs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Best CPU µs per event of each; all take turns, so that they see the same machine."""
    for program in programs.values():
        program()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as the workers have it
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(RUNS):
        for name, program in programs.items():
            best[name] = min(best[name], _cpu_us(program))
    return best


def _cpu_us(program: Callable[[], None]) -> float:
    start = time.process_time_ns()
    program()
    return (time.process_time_ns() - start) / EVENTS / 1000


def _shares(warm: Callable[[], None]) -> dict[str, float]:
    """Part of a warm run that each step takes."""
    spent = {name: 0 for name, _, _ in _STEPS}
    with _timed(spent):
        whole = _cpu_us(warm) * EVENTS * 1000
    return {_WHOLE: 1 - sum(spent.values()) / whole, **{name: ns / whole for name, ns in spent.items()}}


@contextmanager
def _timed(spent: dict[str, int]) -> Iterator[None]:
    originals = [getattr(owner, method) for _, owner, method in _STEPS]
    for (name, owner, method), original in zip(_STEPS, originals, strict=True):
        setattr(owner, method, _around(original, name, spent))
    try:
        yield
    finally:
        for (_, owner, method), original in zip(_STEPS, originals, strict=True):
            setattr(owner, method, original)


def _around(call: Callable[..., Any], name: str, spent: dict[str, int]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        start = time.process_time_ns()
        result = call(*args)
        spent[name] += time.process_time_ns() - start
        return result

    return timed


def _record(number: int) -> SubjectRecord:
    agreed = traffic.agrees(number)
    wishes = {"gdpr/analytics": agreed["Analytics"], "gdpr/marketing": agreed["Advertising"]}
    return SubjectRecord(
        salt=hashlib.sha256(b"%d" % number).hexdigest()[:43],
        revision=1,
        identity="device",
        purposes={scope: (_version(wish),) for scope, wish in wishes.items()},
    )


def _version(agreed: bool) -> PurposeVersion:
    status = Status.GRANTED if agreed else Status.DENIED
    return PurposeVersion(status=status, effective_at=START_MS - 86_400_000, recorded_at=1, source="bench")


def _digests(values: list[bytes]) -> None:
    for value in values:
        hashlib.sha256(value).digest()


def _derive(label: str) -> bytes:
    return hashlib.sha256(label.encode()).digest()
