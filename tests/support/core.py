"""A small core for tests: one bundle, fixed keys, consent held in a dict."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.consent.retraction import Retractor
from tamis.domain.epochs import Epochs
from tamis.domain.event import Event
from tamis.domain.identity import SubjectKeys
from tamis.domain.keyring import Keyring
from tamis.domain.rules import CompiledRule, Rule, RuleSet
from tamis.envelopes.decoder import Decoder
from tamis.intake import Intake

START = 1_795_168_800_000
SALT = "c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ"


class StoredRecord(msgspec.Struct):
    """What the transport hands over, as far as the core looks."""

    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class FixedKeys:
    """Key provider whose keys follow from their label."""

    def derive(self, label: str) -> bytes:
        return hashlib.sha256(b"test" + label.encode()).digest()

    def epochs(self) -> Epochs:
        return Epochs("1")


class ConsentTable:
    """The consent replica as a dict, with the same port."""

    def __init__(self) -> None:
        self.records: dict[str, SubjectRecord] = {}
        self.changes = 0
        self.subjects = SubjectKeys(FixedKeys().derive("subject"))

    def get(self, subject_key: str) -> SubjectRecord | None:
        return self.records.get(subject_key)

    def version(self) -> int:
        return self.changes

    def set_device(self, anonymous_id: str, **purposes: Status) -> None:
        self._set(self.subjects.device(anonymous_id), "device", purposes)

    def set_person(self, user_id: str, **purposes: Status) -> None:
        self._set(self.subjects.person(user_id), "person", purposes)

    def _set(self, key: str, identity: str, purposes: dict[str, Status]) -> None:
        self.changes += 1
        self.records[key] = SubjectRecord(
            salt=SALT, revision=self.changes, identity=identity,
            purposes={f"gdpr/{p}": (PurposeVersion(status=s, effective_at=0, recorded_at=0, source="test"),)
                      for p, s in purposes.items()},
        )  # fmt: skip


def _fields(*names: str) -> Any:
    def project(event: Event) -> dict[str, Any]:
        return {name: event.properties[name] for name in names if name in event.properties}

    return project


def small_bundle() -> Bundle:
    """Two destinations: all events with consent to analytics, sign-ups with consent to marketing."""
    rule = Rule(
        id="newsletter_signup", version=3, owner="growth", sla="4h", stage="intent", events=("Newsletter Signup",),
        destinations=("hubspot",),
    )  # fmt: skip
    return Bundle(
        hash="0123456789abcdef",
        rules=RuleSet((CompiledRule(rule, lambda _: True, lambda _: 5.0),)),
        destinations=(
            Destination(id="clean", topic="events.clean", purposes=("analytics",), project=_fields("plan", "n"),
                        field_names=("plan", "n"), accepts="all"),
            Destination(id="hubspot", topic="crm.hubspot", purposes=("marketing",), project=_fields("plan"),
                        field_names=("plan",)),
        ),
        policy=Policy(purposes=("analytics", "marketing"), aliases={"Analytics": "analytics", "Ads": "marketing"},
                      sites={"shop.example.test": "shop"}),
    )  # fmt: skip


def small_retractor() -> Retractor:
    """Retractions of the small bundle; a pseudonym is the subject key in the clear."""
    return Retractor(small_bundle(), lambda domain, _salt, key: (f"v1.{domain}.1.{key}",))


def small_intake(consent: ConsentTable, bundle: Bundle | None = None) -> Intake:
    """The core over ``consent``."""
    keys, bundle = FixedKeys(), bundle or small_bundle()
    ring = Keyring(keys.derive, keys.epochs(), [d.id for d in bundle.destinations])
    return Intake(bundle, ring, consent, Decoder(keys.derive("event-id")))


def track(message_id: str = "m-1", event: str = "Newsletter Signup", **more: Any) -> bytes:
    """A Segment track body."""
    body = {
        "type": "track", "messageId": message_id, "event": event, "anonymousId": "device-1",
        "timestamp": "2026-11-20T10:00:00.000Z", "properties": {"plan": "pro", "n": 7, "email": "zoe@example.test"},
        "context": {"page": {"url": "https://shop.example.test/p?email=zoe@example.test"}},
    }  # fmt: skip
    return msgspec.json.encode({**body, **more})
