"""What destinations are told when they may no longer use what they were sent (``crm.retractions``).

Rules: told are all destinations one of whose purposes became refused, and all of them on erasure and restriction,
whether they were ever sent anything or not: nobody keeps a list of who got what, and a destination ignores pseudonyms
it does not know. One record for each pseudonym of each live key epoch, since a destination may hold records under any
of them. Told is what changed: a purpose that was refused before is not told again, nor what a subject without a record
says, of whom nothing can have left. A choice counts as ``verdict`` counts it, clocks that are slow included.
Not handled here: consent that ends by itself (expiry, a newer notice), which withdraws nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import msgspec

from tamis.domain.bundle import Bundle
from tamis.domain.consent.model import (
    ConsentChange,
    Erasure,
    IdentityLink,
    PurposeVersion,
    Restriction,
    Status,
    SubjectRecord,
)
from tamis.domain.consent.verdict import FOREVER, said_at
from tamis.domain.route import Route, Routes

OBJECTION = "objection"
"""Source of the statements an objection is made of (Art. 21 GDPR)."""

Change = ConsentChange | IdentityLink | Erasure | Restriction
Pseudonyms = Callable[[str, bytes, str], tuple[str, ...]]
"""(destination id, salt, subject key) -> the pseudonyms of all live epochs."""

_encode = msgspec.json.Encoder().encode


class RetractionReason(StrEnum):
    """Why; for ERASURE what is held has to be deleted."""

    WITHDRAWN = "withdrawn"
    DENIED = "denied"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    ERASURE = "erasure"


class Retraction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one destination may no longer do with the records of one pseudonym.

    Attributes:
        subject: the pseudonym, as in the destination's records; also the record key.
        destination: id of the destination; readers of others ignore it.
        purposes: those of the destination that no longer hold, sorted.
        effective_at: since when, ms; rounded down as the destination's times are.
        reason: "withdrawn", "denied", "objection", "restriction", "erasure" (delete what you hold).
        regulation: the law under which they no longer hold, "" for every law.
        v: schema version.
    """

    subject: str
    destination: str
    purposes: tuple[str, ...]
    effective_at: int
    reason: RetractionReason
    regulation: str = ""
    v: int = 1


class Withdrawal(msgspec.Struct, frozen=True):
    """What a change took away: purposes (None: all), the law ("": every), since when (ms), and why."""

    purposes: frozenset[str] | None
    regulation: str
    effective_at: int
    reason: RetractionReason


def refused(versions: tuple[PurposeVersion, ...], skew_ms: int) -> bool:
    """Whether what is in force is a no; silence is none."""
    return said_at(versions, FOREVER, skew_ms)[0].status in (Status.DENIED, Status.WITHDRAWN)


def newly_refused(before: SubjectRecord, after: SubjectRecord, skew_ms: int) -> Iterator[str]:
    """Each "<regulation>/<purpose>" that is refused in ``after`` and was not in ``before``."""
    for scope, versions in after.purposes.items():
        known = before.purposes.get(scope, ())
        if versions != known and refused(versions, skew_ms) and not refused(known, skew_ms):
            yield scope


def withdrawal(before: SubjectRecord | None, after: SubjectRecord, change: Change, skew_ms: int) -> Withdrawal | None:
    """What ``change`` took from the subject, None when it took nothing that can have been used.

    Args:
        before: the record before the change, None when there was none.
        after: the record after it.
        change: what was said.
        skew_ms: how far a client's clock may be slow.
    """
    if before is None or not before.salt:
        return None
    if isinstance(change, Erasure):
        return Withdrawal(None, "", change.at, RetractionReason.ERASURE)
    if isinstance(change, Restriction):
        begins = after.restricted() and not before.restricted()
        return Withdrawal(None, "", change.at, RetractionReason.RESTRICTION) if begins else None
    if isinstance(change, IdentityLink):
        return None
    purposes = frozenset(scope.partition("/")[2] for scope in newly_refused(before, after, skew_ms))
    if not purposes:
        return None
    withdrawn = any(change.choices.get(purpose) is Status.WITHDRAWN for purpose in purposes)
    reason = RetractionReason.WITHDRAWN if withdrawn else RetractionReason.DENIED
    if change.source == OBJECTION:
        reason = RetractionReason.OBJECTION
    return Withdrawal(purposes, change.regulation, change.effective_at, reason)


class Retractor:
    """Makes the records of ``crm.retractions`` under one bundle.

    Args:
        bundle: destinations, rules and policy.
        pseudonyms: of all live epochs.
    """

    __slots__ = ("_needs", "_pseudonyms", "_skew_ms")

    def __init__(self, bundle: Bundle, pseudonyms: Pseudonyms) -> None:
        needs = purposes_needed(bundle)
        self._needs = [(each.id, needs[each.id], each.time_bucket_ms) for each in bundle.destinations]
        self._pseudonyms = pseudonyms
        self._skew_ms = bundle.policy.clock_skew_ms

    def taken(self, before: SubjectRecord | None, after: SubjectRecord, change: Change) -> Withdrawal | None:
        """See ``withdrawal``."""
        return withdrawal(before, after, change, self._skew_ms)

    def records(self, taken: Withdrawal, subject: str, salt: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of what is to be told.

        Args:
            taken: what is gone.
            subject: subject key.
            salt: of the record as it was before.
        """
        for destination, needed, bucket_ms in self._needs:
            purposes = needed if taken.purposes is None else needed & taken.purposes
            if not purposes:
                continue
            for pseudonym in self._pseudonyms(destination, salt, subject):
                told = Retraction(
                    subject=pseudonym, destination=destination, purposes=tuple(sorted(purposes)),
                    effective_at=taken.effective_at - taken.effective_at % bucket_ms, reason=taken.reason,
                    regulation=taken.regulation,
                )  # fmt: skip
                yield pseudonym.encode(), _encode(told)


def purposes_needed(bundle: Bundle) -> Mapping[str, frozenset[str]]:
    """Destination id -> every purpose that something sent there rested on: its own and those of rules."""
    routes = Routes(bundle)
    needed: dict[str, frozenset[str]] = {each.id: frozenset(each.purposes) for each in bundle.destinations}
    every: list[Route] = [routes.unplanned, *routes.by_rule.values()]
    for leg in (leg for route in every for leg in route.legs):
        needed[leg.destination.id] |= frozenset(leg.purposes)
    return needed
