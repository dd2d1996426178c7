"""Damages consent payloads and events, and looks for one that lets out more than its original.

Rules: "more" is an allowed (purpose, destination) pair, for an identity the original names, that the original does not
give; an identity that was changed into another one leaves no trace, so others are not looked at. Each judgement is
that of the workers' own code, from bytes to decision. Every consent payload falls on a record that does not exist yet,
every event on people who agreed to everything.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from tamis.bundles.consent_reader import consent_reader
from tamis.consent_sources.keying import Keying
from tamis.consent_sources.statement import Statement
from tamis.domain.audit.log import AuditLog
from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.consent.fold import fold
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.event import Event, Invalid
from tamis.domain.rules import RuleSet
from tamis.envelopes.decoder import Decoder
from tamis.records.batch import RawBatch
from tamis.settings import ConsentSettings, Settings
from tests.support import damage
from tests.support.bundles import CONFIG, reference_bundle
from tests.support.consent_payload_samples import AT_MS, TCF, payloads
from tests.support.core import SALT, ConsentTable, FixedKeys, StoredRecord, small_intake, track
from tests.support.payloads import FILES, load, record

if TYPE_CHECKING:
    from collections.abc import Iterator

Pairs = set[tuple[object, ...]]
NOW = AT_MS + 60_000
_READER = consent_reader(Settings(consent=ConsentSettings(mappings=str(CONFIG / "consent-mappings.yaml"))))
_KEYS = FixedKeys()


def statements(body: bytes) -> list[Statement]:
    """What a payload states, unreadable parts left out."""
    found = _READER.read(body)
    return [] if isinstance(found, Invalid) else [each for each in found if isinstance(each, Statement)]


class ConsentCase:
    """One original payload and what it permits."""

    def __init__(self, body: bytes) -> None:
        said = statements(body)
        self.body = body
        categories = sorted({word for each in said for word in (*each.choices, *each.of_strings)})
        self._bundle = _bundle(tuple(categories))
        self._keying = Keying(self._bundle.policy, ConsentTable().subjects)
        self.who = {(each.person, each.device) for each in said}
        self.keep = {str(name).lower() for pair in self.who for name in pair if name}
        self.keep |= {word.lower() for each in said for word in (*each.choices, *each.titles.values())}
        self.pairs = self.permitted(said)

    def permitted(self, said: list[Statement]) -> Pairs:
        """Allowed (person, device, purpose, destination)."""
        table = ConsentTable()
        for each in said:
            for change in self._keying.changes(each, NOW - 1, Counter()):
                table.records[change.subject] = fold(table.records.get(change.subject), change, SALT.encode()[:32])
        if not table.records:
            return set()
        who = sorted(self.who, key=str)
        bodies = [track(f"m-{n}", userId=p, anonymousId=d, timestamp=None) for n, (p, d) in enumerate(who)]
        records = [StoredRecord(offset, NOW, body) for offset, body in enumerate(bodies)]
        found = small_intake(table, self._bundle).process(
            AuditLog("fuzz/0"), RawBatch("events.raw", 0, records, 0, len(records), NOW)
        )
        pairs: Pairs = set()
        for leaf in map(msgspec.json.decode, found.leaves):
            pairs |= {(*who[leaf["src"]["o"]], name) for name, why in leaf["dest"].items() if why == "granted"}
        return pairs


def _bundle(categories: tuple[str, ...]) -> Bundle:
    """A purpose and a destination for each category."""
    purposes = {category: f"p{number}" for number, category in enumerate(categories)} or {"none": "p0"}
    return Bundle(
        hash="0123456789abcdef",
        rules=RuleSet(()),
        destinations=tuple(
            Destination(
                id=f"d{purpose}", topic=f"crm.d{purpose}", purposes=(purpose,), project=lambda _: {}, field_names=(),
                accepts="all",
            )
            for purpose in purposes.values()
        ),
        policy=Policy(purposes=tuple(purposes.values()), aliases=purposes),
    )  # fmt: skip


@cache
def consent_cases() -> list[tuple[str, ConsentCase]]:
    """All originals; each permits something and refuses something, or the fuzz would show nothing."""
    return [(name, ConsentCase(body)) for name, body in payloads()]


def consents_widened(seed: int, count: int) -> Iterator[str]:
    """Problems among ``count`` damaged consent payloads, each said without the payload."""
    random = Random(seed)
    for number in range(count):
        name, case = random.choice(consent_cases())
        broken, way = _damaged(case.body, random, case.keep)
        more = case.permitted(statements(broken)) - case.pairs
        if more:
            yield f"seed {seed}, consent payload {number}: {name} {way} permits {len(more)} more"


def _damaged(body: bytes, random: Random, keep: set[str]) -> tuple[bytes, str]:
    if not body:
        return body, "nothing"
    if random.random() < 0.5:
        return damage.spoil(body, random, keep), "spoil"
    way = random.choice(damage.WAYS)
    return way(body, random), way.__name__


_YES = (PurposeVersion(status=Status.GRANTED, effective_at=1, recorded_at=1, source="test"),)
AGREED = SubjectRecord(
    salt=SALT, revision=1, identity="device",
    purposes={f"{law}/{purpose}": _YES for law in ("gdpr", "us_privacy") for purpose in ("analytics", "marketing")},
)  # fmt: skip


@cache
def timeless_bundle() -> Bundle:
    """The reference configuration without lateness and expiry: a time that cannot be read is the time of receipt."""
    bundle = reference_bundle()
    ever = tuple(replace(each, max_lateness_ms=1 << 50) for each in bundle.destinations)
    return replace(bundle, destinations=ever, policy=replace(bundle.policy, max_age_ms={}))


class EventCase:
    """One captured request, everybody in it having agreed to everything."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.value, self.headers = record(payload)
        decoder = Decoder(_KEYS.derive("event-id"))
        found = decoder.decode(self.value, self.headers, NOW)
        events = [] if isinstance(found, Invalid) else [each for each in found if isinstance(each, Event)]
        times = [each.occurred_at for each in events if each.occurred_at is not None]
        self.now = max(times, default=NOW) + 1_000
        self.keep = {each.lower() for event in events for each in (event.anonymous_id, event.user_id) if each}
        self.keep |= {word.lower() for event in events if event.consent for word in event.consent.choices}
        self.table = ConsentTable()
        for each in events:
            if each.anonymous_id:
                self.table.records[self.table.subjects.device(each.anonymous_id)] = AGREED
            if each.user_id:
                self.table.records[self.table.subjects.person(each.user_id)] = AGREED
        self._intake = small_intake(self.table, timeless_bundle())
        self.pairs = self.permitted(self.value)

    def permitted(self, value: bytes) -> Pairs:
        """Allowed (purpose, destination) over all events of the request."""
        records = [StoredRecord(0, self.now, value, None, self.headers)]
        found = self._intake.process(AuditLog("fuzz/0"), RawBatch("events.raw", 0, records, 0, 1, self.now))
        purposes = {each.id: each.purposes for each in reference_bundle().destinations}
        return {
            (purpose, name)
            for leaf in map(msgspec.json.decode, found.leaves) if leaf["out"] == "accepted"
            for name, why in leaf["dest"].items() if why in ("granted", "not_opted_out", "inline_granted")
            for purpose in purposes[name]
        }  # fmt: skip


@cache
def event_cases() -> list[tuple[str, EventCase]]:
    """All captured requests, and calls that refuse something themselves."""
    found = [(path.stem, EventCase(load(path))) for path in FILES]
    return found + [(name, EventCase(payload)) for name, payload in _refusing()]


def _refusing() -> Iterator[tuple[str, dict[str, Any]]]:
    signals: dict[str, dict[str, Any]] = {
        "segment consent": {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": False}}},
        "rudderstack consent": {"consentManagement": {"allowedConsentIds": ["C0002"], "deniedConsentIds": ["C0004"]}},
        "tcf": {"consent": {"tcf": {"tcString": TCF, "gdprApplies": True}}},
    }
    for name, context in signals.items():
        call = json.loads(track(event="quote_started", timestamp=None, context=context))
        yield name, {"body": json.dumps(call), "headers": {}, "endpoint": None}


def events_widened(seed: int, count: int) -> Iterator[str]:
    """Problems among ``count`` damaged requests, each said without the request."""
    random = Random(seed)
    for number in range(count):
        name, case = random.choice(event_cases())
        broken, way = _damaged(case.value, random, case.keep)
        more = case.permitted(broken) - case.pairs
        if more:
            yield f"seed {seed}, request {number}: {name} {way} permits {len(more)} more"
