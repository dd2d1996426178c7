"""Runs events through the very core the workers run, without a broker and without sending anything.

Rules: one explained outcome per event, in input order; consent statements are applied before the first event, at the
time each takes effect; keys are throw-away, so nothing printed can be joined with anything a worker writes; the
explanation holds reasons, rule, destinations and the fields each destination would get, never an identity.
Not handled here: reading files, printing (``cli.try_events``).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle
from tamis.domain.consent.fold import SALT_BYTES, fold
from tamis.domain.consent.judge import ALLOWED
from tamis.domain.consent.model import SubjectRecord
from tamis.domain.epochs import Epochs
from tamis.domain.event import Invalid
from tamis.domain.keyring import Keyring
from tamis.domain.quarantine import Fault
from tamis.envelopes.decoder import Decoder
from tamis.envelopes.envelope import Limits
from tamis.intake import Intake
from tamis.records.batch import RawBatch
from tamis.records.topics import Topic
from tamis.stores.sightings.memory import MemorySightings

_WINDOW_MINUTES = 24 * 60


class Explained(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would become of one event.

    Attributes:
        line: input line, from 1.
        index: event within the line.
        outcome, reason: as in the audit log.
        rule: tagging rule id, "" when untagged.
        destinations: destination -> reason (one of ``judge.ALLOWED`` means it would get the event).
        fields: destination -> fields it would get.
        path: where the input is wrong, for invalid events.
        violations: what is wrong with the event by its rule, errors and warnings.
        bot: why it counts as software's, "" for a person's.
    """

    line: int
    index: int
    outcome: str
    reason: str
    rule: str = ""
    destinations: dict[str, str] = {}
    fields: dict[str, dict[str, Any]] = {}
    path: str = ""
    violations: tuple[Fault, ...] = ()
    bot: str = ""


class _Line(msgspec.Struct):
    """An input line in the shape of a Kafka record."""

    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class _Table:
    """Consent held in memory, with the port of the replica."""

    def __init__(self) -> None:
        self.records: dict[str, SubjectRecord] = {}

    def get(self, subject_key: str) -> SubjectRecord | None:
        return self.records.get(subject_key)

    def version(self) -> int:
        return 0


def throw_away_key(label: str) -> bytes:
    """A fixed key per label: a dry run needs keys and must not use real ones."""
    return hashlib.sha256(b"tamis dry run " + label.encode()).digest()


class DryRun:
    """One run over one bundle.

    Args:
        bundle: rules, destinations, policy.
        now: time of receipt of every line, ms.
        limits: sizes, as the workers have them.
    """

    def __init__(self, bundle: Bundle, now: int, limits: Limits | None = None) -> None:
        self._now = now
        self._bundle = bundle
        self._ring = Keyring(throw_away_key, Epochs("0"), [destination.id for destination in bundle.destinations])
        self._table = _Table()
        self._decoder = Decoder(throw_away_key("event-id"), limits)
        self._keying = Keying(bundle.policy, self._ring.subjects)

    def consent(self, lines: Iterable[bytes]) -> list[str]:
        """Applies consent payloads, one a line; gives a message for each that cannot be used."""
        reader, problems = ConsentReader(), []
        for number, line in enumerate(lines, 1):
            found = reader.read(line)
            for entry in [found] if isinstance(found, Invalid) else found:
                if isinstance(entry, Invalid):
                    problems.append(f"line {number}: {entry.reason} at {entry.path}")
                    continue
                ignored: Counter[str] = Counter()
                for change in self._keying.changes(entry, self._now, ignored):
                    salt = hashlib.sha256(change.subject.encode()).digest()[:SALT_BYTES]
                    self._table.records[change.subject] = fold(self._table.records.get(change.subject), change, salt)
                problems += [f"line {number}: ignored: {cause}" for cause in ignored]
        return problems

    def events(self, lines: Iterable[bytes]) -> Iterator[Explained]:
        """One explanation per event, in order."""
        intake, log = Intake(self._bundle, self._ring, self._table, self._decoder), AuditLog("dry-run/0")
        known = MemorySightings(_WINDOW_MINUTES)
        for number, line in enumerate(lines, 1):
            record = _Line(number, self._now, line)
            batch = RawBatch(Topic.EVENTS_RAW.value, 0, [record], number, number + 1, self._now)
            emissions = intake.process(log, batch, known)
            for minute, entries in emissions.fresh.items():
                known.add(minute, b"".join(entries))
            yield from _explain(number, emissions, self._bundle)


def _explain(line: int, emissions: Any, bundle: Bundle) -> Iterator[Explained]:
    sent = {topic: iter(records) for topic, records in emissions.outputs.items()}
    topics = {destination.id: destination.topic for destination in bundle.destinations}
    quarantined = [msgspec.json.decode(value) for _, value in emissions.outputs[Topic.EVENTS_QUARANTINE]]
    paths = {entry["index"]: entry["path"] for entry in quarantined}
    for number, raw in enumerate(emissions.leaves):
        leaf = msgspec.json.decode(raw)
        fields = {
            destination: msgspec.json.decode(next(sent[topics[destination]])[1])["fields"]
            for destination, reason in leaf["dest"].items()
            if reason in ALLOWED and leaf["out"] == "accepted"
        }
        yield Explained(
            line=line,
            index=leaf["src"]["i"],
            outcome=leaf["out"],
            reason=leaf["why"],
            rule="" if leaf["rule"] == "-" else leaf["rule"],
            destinations=leaf["dest"],
            fields=fields,
            path=paths.get(leaf["src"]["i"], ""),
            violations=tuple(fault for place, faults in emissions.faulty if place == number for fault in faults),
            bot=leaf["facts"].get("bot", ""),
        )
