"""Consent as stored and exchanged inside tamis: canonical changes, subject records, heartbeats.

Rules: statuses are closed; only GRANTED is a yes; a record keeps the last ``KEPT_VERSIONS`` versions per
"<regulation>/<purpose>"; a suppression record has no salt and no history. Values are JSON (msgspec) in Kafka.
Heartbeats lie among the subject records under keys that no subject key can equal.
Not handled here: how versions are merged (``domain.consent.fold``) and judged (``domain.consent.verdict``).
"""

from enum import StrEnum

import msgspec

KEPT_VERSIONS = 8
KEPT_LINKS = 64
SCHEMA = 1


class Status(StrEnum):
    """What the person said about a purpose. Only GRANTED is a yes."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


STRICTNESS = {Status.GRANTED: 0, Status.DENIED: 1, Status.WITHDRAWN: 2}
"""Of two statements about one thing the one with the higher number allows less."""


def keep_stricter(choices: dict[str, Status], category: str, status: Status) -> None:
    """Adds one choice; of several about one category the stricter holds."""
    before = choices.get(category)
    if before is None or STRICTNESS[status] > STRICTNESS[before]:
        choices[category] = status


def keep_all(choices: dict[str, Status], stated: dict[str, Status]) -> None:
    """Adds several choices, each as ``keep_stricter`` does."""
    for category, status in stated.items():
        keep_stricter(choices, category, status)


class ConsentChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="consent", omit_defaults=True):
    """One statement of one subject, already keyed (``consent.changes``).

    Attributes:
        subject: subject key (``domain.identity``).
        identity: "person" or "device".
        regulation: e.g. "gdpr"; regulations never mix.
        choices: canonical purpose id -> status.
        effective_at: when the person chose, ms.
        recorded_at: when tamis received it (Kafka record time), ms.
        seq: the source's own sequence number, breaks ties of ``effective_at``.
        expires_at: end of validity, ms, if the source states one.
        source: adapter id, e.g. "segment", "canonical".
        notice: version of the notice the person saw.
        authenticated: made while logged in.
        other: subject key of the other identity that the same statement names (the person of a device, the device of
            a person), "" when it names one only.
    """

    subject: str
    identity: str
    regulation: str
    choices: dict[str, Status]
    effective_at: int
    recorded_at: int
    source: str
    seq: int = 0
    expires_at: int | None = None
    notice: str | None = None
    authenticated: bool = False
    other: str = ""


class IdentityLink(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="link"):
    """Two identities were seen to be one person's; sent once for each of the two (``consent.changes``).

    Attributes:
        subject: subject key of the record it is for.
        identity: "person" or "device", what ``subject`` is.
        other: subject key of the other identity.
        since: when they were seen together first, ms.
    """

    subject: str
    identity: str
    other: str
    since: int


class FirstSight(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="first_sight"):
    """An event named a subject that has no record (``consent.changes``).

    Attributes:
        subject: subject key.
        identity: "person" or "device", what ``subject`` is.
        at: when the event was received, ms.
    """

    subject: str
    identity: str
    at: int


class Erasure(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="erasure"):
    """A subject is to be forgotten (Art. 17 GDPR), or was a device of somebody who is (``consent.changes``).

    Attributes:
        subject: subject key.
        identity: "person" or "device", what ``subject`` is.
        at: when the request was received, ms.
        request: the request's own id, which says nothing of the subject.
    """

    subject: str
    identity: str
    at: int
    request: str


class Restriction(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="restriction", omit_defaults=True):
    """Processing of a subject is to be restricted (Art. 18 GDPR), or no longer (``consent.changes``).

    Attributes:
        subject, identity, at, request: as in ``Erasure``.
        lifted: the restriction ends.
    """

    subject: str
    identity: str
    at: int
    request: str
    lifted: bool = False


class ChangesHeartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="heartbeat"):
    """The normaliser has passed ``clock`` on raw consent partition ``partition`` of ``of``."""

    partition: int
    of: int
    clock: int


class PurposeVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One statement about one purpose; order and ties: ``domain.consent.fold``, meaning: ``domain.consent.verdict``.

    Attributes:
        recorded_at: when tamis first received it, ms. It bounds what a slow clock can do to a refusal; it is no part of
            the order.
        person: in a device's record the person (subject key) whom the statement names, "" for nobody.
    """

    status: Status
    effective_at: int
    recorded_at: int
    source: str
    seq: int = 0
    expires_at: int | None = None
    notice: str | None = None
    authenticated: bool = False
    person: str = ""


class Link(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Another identity of the same person: its subject key, and since when they are known together, ms."""

    subject: str
    since: int


class SubjectRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What tamis holds about a subject (``consent.state``, compacted; key = subject key).

    Attributes:
        salt: 32 random bytes, base64url; empty in a suppression record.
        revision: grows by one with each change; the audit leaf cites it.
        identity: "person" or "device".
        purposes: "<regulation>/<purpose>" -> versions, newest first.
        suppressed_at: set in a suppression record (erasure), ms.
        erased_by: in a suppression record the id of the request.
        restricted_at: processing was last restricted on request then (Art. 18 GDPR), ms; nothing leaves, ...
        lifted_at: ... unless the restriction was lifted after that, ms.
        links: a person's devices, or a device's persons, the first known first, at most ``KEPT_LINKS``.
        more_links: there were more than that.
        provisional_until: made at first sight: it goes then (ms) if nothing was stated, linked or requested meanwhile.
    """

    salt: str
    revision: int
    identity: str
    purposes: dict[str, tuple[PurposeVersion, ...]]
    suppressed_at: int | None = None
    restricted_at: int | None = None
    links: tuple[Link, ...] = ()
    more_links: bool = False
    provisional_until: int | None = None
    lifted_at: int | None = None
    erased_by: str = ""
    v: int = SCHEMA

    def restricted(self) -> bool:
        """Whether a restriction is in force; of two words of one moment the restriction holds."""
        return self.restricted_at is not None and (self.lifted_at is None or self.lifted_at <= self.restricted_at)


class StateHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Fold progress of one partition of ``consent.state``: the key is ``heartbeat_key(partition)``.

    Attributes:
        clocks: raw consent partition (as text) -> the clock up to which all its changes are in this partition.
        of: how many raw consent partitions there are.
        partition: the partition of ``consent.changes`` and ``consent.state`` this speaks for.
        partitions: how many such partitions there are.
    """

    clocks: dict[str, int]
    of: int
    partition: int
    partitions: int


HEARTBEAT_KEY = b"\x00heartbeat"


def heartbeat_key(partition: int) -> bytes:
    """Key of the heartbeat of a partition of ``consent.state``; differs by partition, as one table holds several."""
    return HEARTBEAT_KEY + b"/%d" % partition


def is_heartbeat(key: bytes) -> bool:
    """Whether a key of ``consent.state`` is a heartbeat's."""
    return key.startswith(HEARTBEAT_KEY)
