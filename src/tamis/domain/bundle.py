"""A bundle: rules, destinations and policy under one hash, immutable once made.

Rules: a decision names the bundle it was taken under; a bundle is valid as a whole or refused as a whole.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from tamis.domain.consent.regulation import Minors, Places, Regulation
from tamis.domain.event import Event
from tamis.domain.rules import RuleSet

Projection = Callable[[Event], dict[str, Any]]


class Veiled(msgspec.Struct, frozen=True):
    """A field whose value leaves as a pseudonym: its output name, and what fetches the value."""

    name: str
    get: Callable[[Event], Any]


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Who receives events, on what condition, and which fields.

    Attributes:
        id: e.g. "clean", "hubspot"; also the pseudonym domain, so two destinations never share a pseudonym.
        topic: without prefix, "events.clean" or "crm.<id>".
        purposes: canonical purposes that must all be granted.
        accepts: "tagged" (only events whose rule names this destination) or "all".
        valid_at: "both" (when it happened and now), "event" or "now".
        max_lateness_ms: older events do not go out.
        time_bucket_ms: ``occurred_at`` is rounded down to this; 1 keeps it.
        hold: events wait for a yes that this destination needs, where the policy holds events at all.
        project: gives the allow-listed, minimised fields; anything not listed is left out.
        veiled: listed fields that ``project`` leaves out because they need keys (``minimise.pseudonymise``).
        field_names: output field names, for documents and tests.
    """

    id: str
    topic: str
    purposes: tuple[str, ...]
    project: Projection
    field_names: tuple[str, ...]
    accepts: str = "tagged"
    valid_at: str = "both"
    max_lateness_ms: int = 72 * 3_600_000
    time_bucket_ms: int = 1
    hold: bool = True
    veiled: tuple[Veiled, ...] = ()


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """How long an event waits whose subject has not decided yet.

    Attributes:
        first_ms: until it is decided again; covers a consent that comes right behind the event.
        last_ms: after that, until it is decided for good.
    """

    first_ms: int = 10_000
    last_ms: int = 290_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What words mean and what silence means.

    Attributes:
        purposes: canonical purpose ids.
        aliases: vendor category id (exact text) -> canonical purpose id; each purpose id is its own alias.
        regulation: the regulation of statements that name none.
        regulations: all that are judged, in order of id; empty = ``regulation`` alone, opt-in.
        places: which of them an event falls under.
        minors: see ``Minors``.
        max_age_ms: purpose id -> how long a grant lives without renewal; absent: until it is withdrawn.
        notices: purpose id -> major version of the notice in force; a yes to an older one does not hold, nor one that
            names none. Absent: any.
        clock_skew_ms: how far a client's clock may be slow: within it a refusal beats a grant that was stated later but
            received earlier.
        max_users: with more persons than this on a device, nothing moves between it and them.
        grants_move: a grant made on a device while logged in holds for the person.
        sites: host name -> site label; a host not listed is "other".
        producers: names of SDKs that are told besides the known ones, lower case (``domain.producer``).
        hold: None: nothing is held, what is unknown is denied at once.
        violations: kind of violation -> severity, where it differs from the default (``domain.violations``).
        bots: why an event counts as a bot's -> "mark" or "deny" (``domain.bots``); absent: "mark".
        declared_bots: paths at which events say that they are a bot's, besides the usual ones.
        keyed_by_subject: producers promise that records of one subject stand in one partition of ``events.raw``.
        time_zone: IANA name; of the times of day by which rules expect an event.
    """

    purposes: tuple[str, ...]
    aliases: Mapping[str, str]
    regulation: str = "gdpr"
    regulations: tuple[Regulation, ...] = ()
    places: Places = Places()
    minors: Minors = Minors()
    max_age_ms: Mapping[str, int] = {}
    notices: Mapping[str, int] = {}
    clock_skew_ms: int = 3_600_000
    max_users: int = 3
    grants_move: bool = True
    sites: Mapping[str, str] = {}
    producers: frozenset[str] = frozenset()
    violations: Mapping[str, str] = {}
    bots: Mapping[str, str] = {}
    declared_bots: tuple[str, ...] = ()
    keyed_by_subject: bool = False
    time_zone: str = "UTC"
    hold: Hold | None = None

    def judged(self) -> tuple[Regulation, ...]:
        """The regulations an event can fall under."""
        return self.regulations or (Regulation(id=self.regulation),)

    def holds(self, regulations: Iterable[Regulation]) -> bool:
        """Whether an event under these regulations may wait."""
        return self.hold is not None and all(law.hold for law in regulations)


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """One consistent configuration.

    Attributes:
        hash: first 16 hexadecimal characters of the SHA-256 of the canonical source; cited in each audit leaf.
        rules: compiled rules.
        destinations: in configuration order.
        policy: see ``Policy``.
        source: the canonical source the hash is made of; ``bundles.load.compile_source`` makes the same bundle of it.
    """

    hash: str
    rules: RuleSet
    destinations: tuple[Destination, ...]
    policy: Policy
    source: bytes = b""
