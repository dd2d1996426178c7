"""Merges consent changes into a subject's record: the same record for every order of arrival.

Rules: per "<regulation>/<purpose>" the last ``KEPT_VERSIONS`` statements are kept, newest first, in the total order
(effective_at, seq, refusal after grant, then the narrower statement); when all of them are grants, the last place is
the newest refusal's. ``recorded_at`` is no part of the order: a grant that is delivered twice must not overtake a
refusal of the same moment. A repeated statement changes nothing but an earlier ``recorded_at``. Each statement's rank
is its own, so one that ends among the newest was among them ever since it came: cutting off early and cutting off late
give the same. Links keep the earliest time they were seen. A suppressed record never comes back to life.
Not handled here: what the versions mean (``domain.consent.verdict``), erasure and restriction (``privacy``).
"""

from typing import Any

import msgspec

from tamis.domain.consent.model import (
    KEPT_LINKS,
    KEPT_VERSIONS,
    STRICTNESS,
    ConsentChange,
    IdentityLink,
    Link,
    PurposeVersion,
    Status,
    SubjectRecord,
)
from tamis.domain.keyed import base64url

SALT_BYTES = 32
_FOREVER = 1 << 62

Versions = tuple[PurposeVersion, ...]


def fold(record: SubjectRecord | None, change: ConsentChange | IdentityLink, fresh_salt: bytes) -> SubjectRecord:
    """The record after one change; the same object when the change says nothing new.

    Args:
        record: the record so far, None for a subject not seen before.
        change: what was stated.
        fresh_salt: ``SALT_BYTES`` random bytes; used only when there is no record.

    Raises:
        ValueError: a new record needs a salt of ``SALT_BYTES``.
    """
    if record is None:
        record = new_record(change.identity, fresh_salt)
    elif record.suppressed_at is not None:
        return record
    purposes, since = record.purposes, change.since if isinstance(change, IdentityLink) else change.effective_at
    if isinstance(change, ConsentChange):
        purposes = _merged(purposes, change)
    links = linked(record.links, Link(change.other, since))
    more = record.more_links or len(links) > KEPT_LINKS
    kept = record.links if links[:KEPT_LINKS] == record.links else links[:KEPT_LINKS]
    if purposes is record.purposes and kept is record.links and more == record.more_links and record.revision:
        return record
    return msgspec.structs.replace(record, revision=record.revision + 1, purposes=purposes, links=kept, more_links=more)


def new_record(identity: str, fresh_salt: bytes) -> SubjectRecord:
    """A record that says nothing yet, revision 0.

    Raises:
        ValueError: it needs a salt of ``SALT_BYTES``.
    """
    if len(fresh_salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return SubjectRecord(salt=base64url(fresh_salt), revision=0, identity=identity, purposes={})


def linked(links: tuple[Link, ...], new: Link) -> tuple[Link, ...]:
    """``links`` and ``new``, each subject once with its earliest time, the first known first; not cut off."""
    if not new.subject:
        return links
    known = next((link for link in links if link.subject == new.subject), None)
    if known is not None and known.since <= new.since:
        return links
    others = [link for link in links if link is not known]
    return tuple(sorted([*others, new], key=lambda link: (link.since, link.subject)))


def _merged(purposes: dict[str, Versions], change: ConsentChange) -> dict[str, Versions]:
    merged = purposes
    for purpose, status in change.choices.items():
        scope = f"{change.regulation}/{purpose}"
        before = merged.get(scope, ())
        after = insert(before, _version(change, status))
        if after is not before:
            merged = merged | {scope: after}
    return merged


def _version(change: ConsentChange, status: Status) -> PurposeVersion:
    return PurposeVersion(
        status=status,
        effective_at=change.effective_at,
        recorded_at=change.recorded_at,
        source=change.source,
        seq=change.seq,
        expires_at=change.expires_at,
        notice=change.notice,
        authenticated=change.authenticated,
        person=change.other if change.identity == "device" else "",
    )


def insert(versions: Versions, new: PurposeVersion) -> Versions:
    """``versions`` and ``new``, cut off as the module says; the same object when nothing changed.

    Args:
        versions: newest first.
        new: one more statement about the same purpose.
    """
    rank = _rank(new)
    place = 0
    for place, old in enumerate(versions):
        found = _rank(old)
        if found == rank:
            if old.recorded_at <= new.recorded_at:
                return versions
            return (*versions[:place], new, *versions[place + 1 :])
        if found < rank:
            break
    else:
        place = len(versions)
    kept = _cut((*versions[:place], new, *versions[place:]))
    return kept if new in kept else versions


def _cut(versions: Versions) -> Versions:
    newest, older = versions[:KEPT_VERSIONS], versions[KEPT_VERSIONS:]
    if older and all(version.status is Status.GRANTED for version in newest):
        refusal = next((version for version in older if version.status is not Status.GRANTED), None)
        if refusal is not None:
            return (*newest[:-1], refusal)
    return newest


def _rank(version: PurposeVersion) -> tuple[Any, ...]:
    """Sorts statements, the one that holds last; among ties the one that allows less comes after."""
    ends = _FOREVER if version.expires_at is None else version.expires_at
    return (
        version.effective_at,
        version.seq,
        STRICTNESS[version.status],
        -ends,
        not version.authenticated,
        version.notice is None,
        version.notice or "",
        version.source,
        version.person,
    )
