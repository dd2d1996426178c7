"""Sends privacy requests (``privacy.requests``) and sees what became of them in ``consent.state``.

Rules: raw identities are in the records of that topic and nowhere else; what is handed back names a request by its id.
A request is in force when the subject record says so.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tamis.consent_sources.privacy import ERASURE, RESTRICTION, PrivacyRequest
from tamis.domain.consent.model import SubjectRecord
from tamis.domain.consent.retraction import OBJECTION
from tamis.domain.identity import SubjectKeys
from tamis.kafka.partitioner import partition_of
from tamis.kafka.reader import read_topic
from tamis.kafka.sealing import Publisher
from tamis.records.topics import Topic
from tamis.settings import Settings

_POLL_S = 0.5
_decode = msgspec.json.Decoder(SubjectRecord).decode


def payload(asked: PrivacyRequest) -> bytes:
    """The record value of a request; it holds the identity."""
    who = {"person": asked.person, "device": asked.device}
    body: dict[str, Any] = {"type": asked.type, "request": asked.request}
    body["identity"] = {name: value for name, value in who.items() if value is not None}
    if asked.purposes:
        body["purposes"] = asked.purposes
    if asked.lift:
        body["lift"] = True
    return msgspec.json.encode(body)


def send(settings: Settings, requests: Sequence[PrivacyRequest]) -> None:
    """Write requests, in order.

    Raises:
        UnreachableError: the cluster does not take them.
    """
    records = [(b"", payload(request)) for request in requests]
    Publisher(settings.kafka).publish(settings.topic(Topic.PRIVACY_REQUESTS), records)


def subjects_of(asked: PrivacyRequest, keys: SubjectKeys) -> dict[str, str]:
    """Identity ("person", "device") -> subject key, of those that a request names."""
    found = {}
    if asked.person is not None:
        found["person"] = keys.person(asked.person)
    if asked.device is not None:
        found["device"] = keys.device(asked.device)
    return found


def stored_records(settings: Settings, subjects: Sequence[str]) -> Mapping[str, SubjectRecord]:
    """Subject key -> record, of those that have one, as ``consent.state`` holds them now.

    Raises:
        SetupError: there is no such topic, or the cluster does not answer.
    """
    partitions = settings.topics.raw_partitions
    wanted = {subject.encode(): subject for subject in subjects}
    places = dict.fromkeys((partition_of(key, partitions) for key in wanted), 0)
    found: dict[str, SubjectRecord] = {}
    for record in read_topic(settings.kafka, settings.topic(Topic.CONSENT_STATE), first=places):
        if record.key in wanted:
            if record.value is None:
                found.pop(wanted[record.key], None)
            else:
                found[wanted[record.key]] = _decode(record.value)
    return found


def in_force(asked: PrivacyRequest, record: SubjectRecord | None) -> bool:
    """Whether a record obeys a request."""
    if record is None:
        return False
    if record.suppressed_at is not None:
        return True
    if asked.type == RESTRICTION:
        return record.restricted() is not asked.lift
    if asked.type == OBJECTION:
        said = [version for versions in record.purposes.values() for version in versions]
        return any(version.source == OBJECTION for version in said)
    return asked.type != ERASURE


def wait_until_in_force(
    settings: Settings, requests: Sequence[PrivacyRequest], keys: SubjectKeys, timeout_s: float
) -> list[PrivacyRequest]:
    """Wait until the records of all subjects obey; gives the requests that do not after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    left = list(requests)
    while True:
        subjects = {id(asked): list(subjects_of(asked, keys).values()) for asked in left}
        found = stored_records(settings, [key for named in subjects.values() for key in named])
        left = [asked for asked in left if not all(in_force(asked, found.get(key)) for key in subjects[id(asked)])]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_POLL_S)
