"""What privacy costs an event: consent decision, pseudonyms and minimisation for a cached subject, each step's share.

    python -m bench.minimise

Prints CPU µs an event beside a reference in the same run (HMAC-SHA256 of 64 bytes), the shares of the whole, what
single field actions cost, and the slowest hostile text of 4,096 characters; JSON on the last line.
"""

import hmac
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.consent_decision import NOW, SUBJECTS, Bench
from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.domain.event import Event
from tamis.domain.minimise.ip import network
from tamis.domain.minimise.pseudonymise import veil_of
from tamis.domain.minimise.scrub import scrubbed
from tamis.domain.minimise.url import page
from tamis.domain.minimise.user_agent import agent_class
from tamis.domain.plan import Plans
from tamis.domain.pseudonym import position_block, tokens_of
from tamis.domain.scrub.text import MAX_SCANNED, scrub_text

RUNS = 9
BUDGET = 4.0  # 2 for the decision, 2 for pseudonyms and minimisation
RULES = ("page_viewed", "quote_started")
AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "Linux; Android 14; Pixel 8")
    for version in range(120, 140)
]
CLEAN = ("red shoes for men", "summer sale", "Newsletter", "checkout", "home page hero")
DIGITS = ("iPhone 15 Pro", "order 12345", "page 2 of 10", "24h delivery", "v1.2")
PERSONAL = ("red shoes", "write to jane.doe@example.test", "call +33 6 12 34 56 78", "4111 1111 1111 1111", "sale")
HOSTILE = (
    "a", "1", "1 ", "a@", "a.", "1.", "::", "a:", "1-", "eyJ", "%40", "[at]", "(+", "aA1", "key=", "0a:", "1a", '"a',
    "a@b.", "1.1.1.1", "GB82 ", "A1 ", "bearer ", "2024-11-25", "4111 ", "é", "Bearer a", "a1-", "//", "token:",
)  # fmt: skip


def _event(number: int) -> Event:
    context = {
        "page": {"url": f"https://shop.example.test/p/{number % 500}?q=x", "referrer": "https://search.example.test/"},
        "ip": f"203.0.113.{number % 250}", "userAgent": AGENTS[number % len(AGENTS)], "locale": "fr-FR",
        "campaign": {"source": "x", "medium": "cpc", "name": "nov"},
    }  # fmt: skip
    properties = {
        "sku": f"A-{number % 900}", "price": 12.5 + number % 90, "plan": "pro", "query": "red shoes for men",
        "quote_id": f"Q-{number}", "category": "shoes", "form": "quote",
    }  # fmt: skip
    return Event(
        f"m-{number}", "track", "quote_started", NOW - 500, NOW, f"d-{number}", f"u-{number}", properties, context,
        None, "segment",
    )  # fmt: skip


class Whole:
    """The steps over all subjects, as intake has them."""

    def __init__(self, bundle: Bundle, rule: str) -> None:
        self.bench = found = Bench(bundle)
        found.route = Plans(bundle).by_rule[rule].route
        self.events = [_event(number) for number in range(SUBJECTS)]
        found.warm(self.events)
        self.destinations = [(each.project, veil_of(each)) for each in bundle.destinations]
        self.keys = self.bench.keys
        self.subjects = [found.directory.find(event.user_id, event.anonymous_id) for event in self.events]
        said = [found.circumstances.of(event) for event in self.events]
        self.standings = [
            found.decider.standing(subject, found.route, spoken, NOW - 500, NOW)
            for subject, spoken in zip(self.subjects, said, strict=True)
        ]
        self.tags = self.keys.event_tags([event.event_id.encode() for event in self.events])

    def consent(self) -> None:
        """Circumstance, subject, cached decision within its span."""
        self.bench.warm(self.events)

    def pseudonyms(self) -> None:
        """The person's, kept with the decision; ids of event and proof for each record."""
        boxes: list[tuple[list[bytes], list[bytes]]] = [([], []) for _ in self.destinations]
        for number, (standing, tag) in enumerate(zip(self.standings, self.tags, strict=True)):
            for send in standing.sends:
                tags, positions = boxes[send.number]
                tags.append(tag)
                positions.append(position_block(0, number, 0))
                send.pseudonym.encode()
        for place, (tags, positions) in enumerate(boxes):
            for start in range(0, len(tags), 256):
                tokens_of(self.keys.event_ids[place].encipher(tags[start : start + 256]))
                tokens_of(self.keys.proofs[place].encipher(positions[start : start + 256]))

    def minimisation(self) -> None:
        """The fields of each record."""
        for event, subject, standing in zip(self.events, self.subjects, self.standings, strict=True):
            for send in standing.sends:
                project, veil = self.destinations[send.number]
                fields = project(event)
                if veil is not None:
                    veil.add(event, subject, fields)

    def hmacs(self) -> None:
        """The reference."""
        for _ in self.events:
            hmac.digest(b"k" * 32, b"x" * 64, "sha256")


def _best(program: Callable[[], None], per: int) -> float:
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time_ns()
        program()
        best = min(best, (time.process_time_ns() - start) / per / 1000)
    return best


def _each(call: Callable[[str], object], texts: tuple[str, ...] | list[str], times: int = 400) -> float:
    def program() -> None:
        for _ in range(times):
            for text in texts:
                call(text)

    return _best(program, times * len(texts))


def hostile() -> tuple[str, float]:
    """The slowest text, µs."""
    texts = {part: ("@ 1 " + part * MAX_SCANNED)[:MAX_SCANNED] for part in HOSTILE}
    costs = {part: _each(scrub_text, [text], 1) for part, text in texts.items()}
    return max(costs.items(), key=lambda pair: pair[1])


def main() -> None:
    """Measure and print."""
    bundle = load_bundle(Path(__file__).parents[1] / "config" / "reference")
    if not isinstance(bundle, Bundle):
        raise SystemExit("\n".join(map(str, bundle)))
    found: dict[str, float] = {}
    for rule in RULES:
        whole = Whole(bundle, rule)
        records = sum(len(standing.sends) for standing in whole.standings) // SUBJECTS
        steps = {name: _best(getattr(whole, name), SUBJECTS) for name in ("consent", "pseudonyms", "minimisation")}
        reference, total = _best(whole.hmacs, SUBJECTS), sum(steps.values())
        print(f"an event of a cached subject, {records} record(s); budget {BUDGET:.1f} µs")
        for name, micros in steps.items():
            print(f"  {name:<34}{micros:8.2f} µs{micros / total:8.0%}{micros / reference:8.2f} x HMAC")
        print(f"  {'whole':<34}{total:8.2f} µs{'':>8}{total / reference:8.2f} x HMAC")
        found |= {f"{name}, {records} records": micros for name, micros in (steps | {"whole": total}).items()}
    actions = {
        "scrub, clean text": _each(scrubbed, CLEAN),
        "scrub, text with digits": _each(scrubbed, DIGITS),
        "scrub, three of five personal": _each(scrubbed, PERSONAL),
        "network of an address": _each(network, [f"203.0.{n}.7" for n in range(200)]),
        "page of an address, seen before": _each(page, [f"https://shop.example.test/p/{n}?q=x" for n in range(200)]),
        "user agent, seen before": _each(agent_class, AGENTS),
        "user agent, new": _each(agent_class, [f"{agent} {n}" for n, agent in enumerate(AGENTS * 200)], 1),
    }
    for name, micros in actions.items():
        print(f"  {name:<34}{micros:8.2f} µs{'':>8}{micros / reference:8.2f} x HMAC")
    part, worst = hostile()
    print(f"  {'scrub, slowest hostile 4 KiB':<34}{worst:8.0f} µs, of {part!r}")
    found |= actions | {"reference": reference, "hostile": worst}
    print(msgspec.json.encode({name: round(value, 3) for name, value in found.items()}).decode())


if __name__ == "__main__":
    main()
