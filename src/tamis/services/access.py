"""Answers an access request (Art. 15 GDPR): what is held of a subject, and what each destination was sent.

Rules: read from the topics, so what retention has deleted is not in it; no raw identity, no salt and no subject key is
in the answer; pseudonyms are, since they are what a recipient knows the person by. Quarantined and held originals are
sealed and not opened for this; how to look for them: docs/erasure.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tamis.consent_sources.privacy import PrivacyRequest
from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import SubjectRecord
from tamis.domain.consent.verdict import state_of
from tamis.domain.keyring import Keyring
from tamis.domain.subject import salt_of
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tamis.services.privacy_requests import stored_records, subjects_of
from tamis.settings import Settings

Json = dict[str, Any]
Pseudonyms = Mapping[str, frozenset[bytes]]
"""Topic -> pseudonyms whose records belong to the subject."""


def access_report(settings: Settings, bundle: Bundle, ring: Keyring, asked: PrivacyRequest) -> Json:
    """The answer as a JSON object.

    Args:
        settings: of this installation.
        bundle: whose destinations are looked at.
        ring: keys of its destinations.
        asked: who asks.

    Raises:
        SetupError: a topic is missing, or the cluster does not answer.
    """
    subjects = subjects_of(asked, ring.subjects)
    records = stored_records(settings, list(subjects.values()))
    named = {identity: _pseudonyms(bundle, ring, records.get(key), key) for identity, key in subjects.items()}
    held = []
    for identity, key in subjects.items():
        record = records.get(key)
        held.append({"identity": identity, **(_described(record) if record else {"state": "unknown"})})
    return {
        "request": asked.request,
        "subjects": held,
        "deliveries": [_delivered(settings, each.id, each.topic, named) for each in bundle.destinations],
        "retractions": list(_retracted(settings, named)),
    }


def _pseudonyms(bundle: Bundle, ring: Keyring, record: SubjectRecord | None, key: str) -> dict[str, frozenset[str]]:
    """Destination -> the subject's pseudonyms there."""
    salt = salt_of(record)
    if not salt:
        return {}
    return {each.id: frozenset(ring.live_pseudonyms(each.id, salt, key)) for each in bundle.destinations}


def _described(record: SubjectRecord) -> Json:
    plain = msgspec.to_builtins(record)
    said = [
        {"regulation": scope.partition("/")[0], "purpose": scope.partition("/")[2]}
        | {name: value for name, value in version.items() if name != "person"}
        for scope, versions in plain["purposes"].items()
        for version in versions
    ]
    about = {
        name: plain[name] for name in ("suppressed_at", "restricted_at", "lifted_at", "erased_by") if name in plain
    }
    return {
        "state": state_of(record) or "held", "revision": record.revision, **about,
        "linked_identities": len(record.links), "statements": said,
    }  # fmt: skip


def _delivered(
    settings: Settings, destination: str, topic: str, named: Mapping[str, Mapping[str, frozenset[str]]]
) -> Json:
    wanted = {name.encode() for of in named.values() for name in of.get(destination, ())}
    found = [] if not wanted else [
        record.value for record in read_topic(settings.kafka, settings.topic(topic)) if record.key in wanted
    ]  # fmt: skip
    events = [msgspec.json.decode(value) for value in found if value]
    return {
        "destination": destination,
        "pseudonyms": sorted(name.decode() for name in wanted),
        "count": len(events),
        "events": sorted(events, key=lambda event: event["occurred_at"]),
    }


def _retracted(settings: Settings, named: Mapping[str, Mapping[str, frozenset[str]]]) -> Iterator[Json]:
    wanted = {name.encode() for of in named.values() for names in of.values() for name in names}
    for record in read_topic(settings.kafka, settings.topic(Topic.CRM_RETRACTIONS)) if wanted else ():
        if record.key in wanted and record.value:
            yield msgspec.json.decode(record.value)
