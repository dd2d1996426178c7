"""Traffic whose fate is known beforehand: people by what they agreed to, actions by whom they are for.

Rules: every expectation is written here in the words of config/reference, from the meaning of its rules, without any
code of the product; ids of people are recognisable, so that a test can look for them where they must not be.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tamis.kafka.loading import Outgoing

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
PURPOSE = {"clean": "analytics", "hubspot": "marketing", "marketo": "marketing"}
STATED_MS = 10 * 24 * HOUR_MS
"""How long ago people chose."""

PROFILES: dict[str, dict[str, str]] = {
    "both": {"analytics": "granted", "marketing": "granted"},
    "analytics": {"analytics": "granted", "marketing": "denied"},
    "marketing": {"analytics": "denied", "marketing": "granted"},
    "refused": {"analytics": "denied", "marketing": "denied"},
    "withdrawn": {"analytics": "withdrawn", "marketing": "withdrawn"},
    "silent": {},
}
"""What people of each kind say now; those of `withdrawn` said yes before, `silent` ones never said anything."""

SITES = {"shop": "shop.example.test", "law": "law.example.test", "other": "elsewhere.example.test"}


@dataclass(frozen=True)
class Action:
    """Something people do: the call, the rule it falls under, and the destinations open to it."""

    call: dict[str, Any]
    rule: str
    destinations: tuple[str, ...]


ACTIONS = (
    Action({"type": "track", "event": "newsletter_signup"}, "newsletter_signup", ("clean", "hubspot")),
    Action({"type": "track", "event": "PDF Download"}, "pdf_download", ("clean", "marketo")),
    Action({"type": "track", "event": "quote_started"}, "quote_started", ("clean", "hubspot", "marketo")),
    Action({"type": "page", "name": "Home"}, "page_viewed", ("clean",)),
    Action({"type": "track", "event": "Never Planned"}, "", ("clean",)),
    Action({"type": "track", "event": "document_reviewed", "properties": {"status": "draft"}}, "", ("clean",)),
    Action(
        {"type": "track", "event": "Video Progress", "properties": {"percent": 80}}, "video_75", ("clean", "hubspot")
    ),
)


@dataclass(frozen=True)
class Fate:
    """What must become of one event."""

    outcome: str
    reason: str
    rule: str = ""
    destinations: dict[str, str] = field(default_factory=dict)
    site: str = "-"
    who: str = ""

    @property
    def sent_to(self) -> list[str]:
        """Destinations that get it."""
        return [name for name, reason in self.destinations.items() if reason == "granted"]


def judged(action: Action, verdicts: dict[str, str], site: str, who: str = "") -> Fate:
    """The fate that follows from one reason per destination."""
    reasons = {name: verdicts[name] for name in action.destinations}
    if "granted" in reasons.values():
        return Fate("accepted", "granted", action.rule, reasons, site, who)
    order = ("no_record", "no_subject", "withdrawn", "denied", "inline_denied", "late")
    return Fate("denied", next(r for r in order if r in reasons.values()), action.rule, reasons, site, who)


RUNS = itertools.count()


class Traffic:
    """Seeded people, statements and events.

    Args:
        people: how many of each profile.
        at_ms: when they act.
        seed: of every choice.
    """

    def __init__(self, people: int, at_ms: int, seed: int = 1) -> None:
        self.at_ms = at_ms
        self._run = next(RUNS)  # ids of two runs differ, or the second one would only repeat the first
        self.people = [(f"visitor-{profile}-{n:05}", profile) for profile in PROFILES for n in range(people)]
        self._random = random.Random(seed)
        self._numbers = iter(range(1 << 62))

    # -- consent

    def statements(self, partitions: int) -> Iterator[Outgoing]:
        """What they say, for `consent.raw`, half of it in the canonical form and half in Segment's."""
        for number, (who, profile) in enumerate(self.people):
            choices, partition = PROFILES[profile], number % partitions
            if profile == "withdrawn":
                yes = dict.fromkeys(choices, "granted")
                yield Outgoing(partition, None, canonical(who, yes, self.at_ms - STATED_MS))
                yield Outgoing(partition, None, canonical(who, choices, self.at_ms - HOUR_MS))
            elif choices and number % 2:
                yield Outgoing(partition, None, canonical(who, choices, self.at_ms - STATED_MS))
            elif choices:
                yield Outgoing(partition, None, segment(who, choices, self.at_ms - STATED_MS))

    # -- events

    def events(self, count: int) -> Iterator[tuple[bytes, list[Fate]]]:
        """`count` records and the fates of the events in each."""
        makers = (self._plain,) * 12 + (
            self._batch, self._malformed, self._empty, self._nobody, self._narrowed, self._late, self._old,
        )  # fmt: skip
        for _ in range(count):
            yield self._random.choice(makers)()

    def _pick(self) -> tuple[str, str, Action, str]:
        who, profile = self._random.choice(self.people)
        return who, profile, self._random.choice(ACTIONS), self._random.choice(list(SITES))

    def _call(self, who: str, action: Action, site: str, age_ms: int = 1_000, **more: Any) -> dict[str, Any]:
        host = SITES[site]
        context = {"page": {"url": f"https://{host}/p?email={who}", "path": "/p"}, "locale": "fr-FR"}
        return {
            "messageId": f"m-{self.at_ms}-{self._run}-{next(self._numbers)}",
            "anonymousId": who,
            "timestamp": stamp(self.at_ms - age_ms),
            "context": context | more,
            **action.call,
        }

    def _plain(self) -> tuple[bytes, list[Fate]]:
        who, profile, action, site = self._pick()
        return encoded(self._call(who, action, site)), [judged(action, verdicts(profile), site, who)]

    def _batch(self) -> tuple[bytes, list[Fate]]:
        calls, fates = [], []
        for _ in range(self._random.randint(1, 5)):
            who, profile, action, site = self._pick()
            calls.append(self._call(who, action, site))
            fates.append(judged(action, verdicts(profile), site, who))
        return encoded({"batch": calls}), fates

    def _malformed(self) -> tuple[bytes, list[Fate]]:
        return b'{"type":"track","event":', [Fate("invalid", "not_json")]

    def _empty(self) -> tuple[bytes, list[Fate]]:
        return b"", [Fate("invalid", "empty")]

    def _nobody(self) -> tuple[bytes, list[Fate]]:
        _, _, action, site = self._pick()
        fate = judged(action, dict.fromkeys(PURPOSE, "no_subject"), site)
        return encoded(self._call("anonymous", action, site)), [fate]

    def _narrowed(self) -> tuple[bytes, list[Fate]]:
        """The event itself says no to marketing."""
        who, profile, action, site = self._pick()
        call = self._call(who, action, site, consent={"categoryPreferences": {"Advertising": False}})
        found = verdicts(profile)
        narrowed = {
            name: "inline_denied" if reason in ("granted", "no_record") and PURPOSE[name] == "marketing" else reason
            for name, reason in found.items()
        }
        return encoded(call), [judged(action, narrowed, site, who)]

    def _late(self) -> tuple[bytes, list[Fate]]:
        """Too late for every destination."""
        who, _, action, site = self._pick()
        fate = judged(action, dict.fromkeys(PURPOSE, "late"), site, who)
        return encoded(self._call(who, action, site, 80 * HOUR_MS)), [fate]

    def _old(self) -> tuple[bytes, list[Fate]]:
        """Too late for one destination only."""
        who, profile, action, site = self._pick()
        call = self._call(who, action, site, 30 * HOUR_MS)
        return encoded(call), [judged(action, verdicts(profile) | {"marketo": "late"}, site, who)]


def verdicts(profile: str) -> dict[str, str]:
    """Reason per destination for somebody of this profile."""
    choices = PROFILES[profile]
    return {destination: choices.get(purpose, "no_record") for destination, purpose in PURPOSE.items()}


def canonical(who: str, choices: dict[str, str], at_ms: int) -> bytes:
    """A statement in the canonical form."""
    body = {"type": "consent", "identity": {"device": who}, "choices": choices, "effective_at": at_ms}
    return json.dumps(body).encode()


def segment(who: str, choices: dict[str, str], at_ms: int) -> bytes:
    """A statement as Segment sends it."""
    words = {"analytics": "Analytics", "marketing": "Advertising"}
    preferences = {words[purpose]: status == "granted" for purpose, status in choices.items()}
    return encoded(
        {
            "type": "track",
            "event": "Segment Consent Preference Updated",
            "anonymousId": who,
            "timestamp": stamp(at_ms),
            "context": {"consent": {"categoryPreferences": preferences}},
        }
    )


def encoded(body: dict[str, Any]) -> bytes:
    """JSON, as a client would send it."""
    return json.dumps(body).encode()


def stamp(at_ms: int) -> str:
    """RFC 3339 text of a time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
