"""The consent decision alone, for a cached subject and a cold one, beside one HMAC-SHA256 in the same run.

CPU µs per event, best of several alternating runs, a table and then JSON. *Warm*: subject and decision are cached, as
for all but the first event of a subject, route and circumstance. *Cold*: nothing about the subject is cached (records
come decoded from a dict; ``bench/consent_replica.py`` measures the replica's own look-up and decoding).
"""

import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tamis.bundles.load import load_bundle
from tamis.domain.bundle import Bundle
from tamis.domain.circumstance import Circumstances
from tamis.domain.consent.case import Case, verdict
from tamis.domain.consent.gather import Gathered
from tamis.domain.consent.inline import SILENT, find
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.consent.replay import Replayer
from tamis.domain.decide import Decider
from tamis.domain.directory import SubjectDirectory
from tamis.domain.epochs import Epochs
from tamis.domain.event import Event, InlineConsent
from tamis.domain.keyring import Keyring
from tamis.domain.plan import Plans

SUBJECTS = 2_000
RUNS = 7
NOW = 1_795_475_101_007
TCF = "CQuFeUAQuFeUAEsADBENB4FgAP_gAEPgAAqIH0QAYAAgfQBwkAGAAIHCAAAA.IH0QAYAAgfQA.YAAAAAAAAAAA"
SIGNALS = InlineConsent({"Advertising": False}, signals=(("tcf", TCF), ("gpc", "1")))


def _version(n: int) -> PurposeVersion:
    return PurposeVersion(status=Status.GRANTED, effective_at=NOW - 86_400_000 - n, recorded_at=NOW, source="bench")


def _record(identity: str) -> SubjectRecord:
    versions = tuple(map(_version, range(3)))
    scopes = {f"gdpr/{purpose}": versions for purpose in ("analytics", "marketing")}
    return SubjectRecord(salt="A" * 43, revision=1, identity=identity, purposes=scopes)


def _event(number: int, consent: InlineConsent | None = None) -> Event:
    page = {"url": "https://shop.example.test/a/b"}
    return Event(
        f"m-{number}", "track", "quote_started", NOW - 500, NOW, f"d-{number}", f"u-{number}", {}, {"page": page},
        consent, "segment",
    )  # fmt: skip


def _derive(label: str) -> bytes:
    return hmac.digest(b"bench", label.encode(), "sha256")


class Bench:
    """One bundle, its subjects and the steps of a decision, each over all subjects."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.keys = keys = Keyring(
            lambda label: hmac.digest(b"bench", label.encode(), "sha256"),
            Epochs("1"),
            [d.id for d in bundle.destinations],
        )
        self.events = [_event(n) for n in range(SUBJECTS)]
        self.signalled = [_event(n, SIGNALS) for n in range(SUBJECTS)]
        records = {keys.subjects.person(f"u-{n}"): _record("person") for n in range(SUBJECTS)}
        records |= {keys.subjects.device(f"d-{n}"): _record("device") for n in range(SUBJECTS)}
        self.version = 0
        self.directory = SubjectDirectory(records.get, lambda: self.version, keys.subjects, keys.pseudonymisers)
        self.circumstances, self.decider = Circumstances(bundle.policy), Decider(bundle.policy)
        self.route = Plans(bundle).by_rule["quote_started"].route

    def warm(self, events: list[Event]) -> None:
        """As intake has it: circumstance, subject, cached decision within its span."""
        find_subject, circumstance, route = self.directory.find, self.circumstances.of, self.route
        for event in events:
            subject, said = find_subject(event.user_id, event.anonymous_id), circumstance(event)
            at = event.occurred_at or NOW
            standing = subject.standings.get(route.slot + said.id)
            if (
                standing is None
                or not standing.since <= at < standing.until
                or not standing.now_since <= NOW < standing.now_until
                or NOW - at > standing.max_lateness_ms
            ):
                standing = self.decider.standing(subject, route, said, at, NOW)
                subject.keep(route.slot + said.id, standing, NOW - at)

    def cold(self) -> None:
        """The same with nothing cached of any subject."""
        self.version += 1
        self.directory.refresh()
        self.warm(self.events)

    def of_circumstance(self) -> None:
        """Events without signals."""
        for event in self.events:
            self.circumstances.of(event)

    def of_signals(self) -> None:
        """Events with signals that were seen before."""
        for event in self.signalled:
            self.circumstances.of(event)

    def of_subject(self) -> None:
        """A cached subject."""
        for event in self.events:
            self.directory.find(event.user_id, event.anonymous_id)

    def subject_cold(self) -> None:
        """A subject seen first."""
        self.version += 1
        self.directory.refresh()
        self.of_subject()

    def reading(self) -> None:
        """Signals under one regulation; the decoders remember the string."""
        law = self.bundle.policy.judged()[0]
        for _ in self.events:
            find(SIGNALS, law, self.bundle.policy.aliases)

    def judging(self) -> None:
        """Facts from the records, and the verdict of every leg, without pseudonyms and leaf text."""
        policy = self.bundle.policy
        for event in self.events:
            subject = self.directory.find(event.user_id, event.anonymous_id)
            said = self.circumstances.of(event)
            gathered = Gathered(subject, policy, NOW - 500, NOW)
            findings = (SILENT,) * len(said.regulations)
            case = Case(policy, ("", ""), gathered.voices, said.regulations, findings, said.age, NOW - 500, NOW)
            verdict(self.route, case.reasons(self.route))

    def hmacs(self) -> None:
        """The reference."""
        for _ in self.events:
            hmac.digest(b"k" * 32, b"x" * 64, "sha256")


def _replaying(bench: Bench) -> Callable[[], None]:
    subject = bench.directory.find("u-1", "d-1")
    standing = bench.decider.standing(subject, bench.route, bench.circumstances.of(bench.events[1]), NOW - 500, NOW)
    leaf = json.loads(
        f'{{{standing.destinations},{standing.facts}{standing.revisions}quote_started#1","at":{NOW - 500},"ts":{NOW}}}'
    )
    replayer = Replayer(bench.bundle)

    def replay() -> None:
        for _ in range(SUBJECTS):
            replayer.reevaluate(leaf)

    return replay


def main() -> None:
    """Measure and print."""
    bundle = load_bundle(Path(__file__).parents[1] / "config" / "reference")
    if not isinstance(bundle, Bundle):
        raise SystemExit("\n".join(map(str, bundle)))
    bench, fresh = Bench(bundle), Bench(bundle)
    programs: dict[str, Callable[[], None]] = {
        "reference: HMAC-SHA256, 64 B": bench.hmacs,
        "warm decision": lambda: bench.warm(bench.events),
        "  circumstance": bench.of_circumstance,
        "  subject": bench.of_subject,
        "warm decision, event with TCF and GPC": lambda: bench.warm(bench.signalled),
        "  circumstance with signals": bench.of_signals,
        "cold decision": fresh.cold,
        "  subject, its keys, salt, audit id": fresh.subject_cold,
        "  facts and verdict": bench.judging,
        "reading signals (strings remembered)": bench.reading,
        "re-evaluating a leaf": _replaying(bench),
    }
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(RUNS):
        for name, program in programs.items():
            start = time.process_time_ns()
            program()
            best[name] = min(best[name], (time.process_time_ns() - start) / SUBJECTS / 1000)
    reference = best["reference: HMAC-SHA256, 64 B"]
    for name, micros in best.items():
        print(f"{name:<40}{micros:8.2f} µs{micros / reference:8.2f} x reference")
    print(msgspec.json.encode(best).decode())


if __name__ == "__main__":
    main()
