"""Sessions and caps: what one person did just before."""

from typing import Any

import msgspec
import pytest

from tamis.bundles.compile import compile_rule
from tamis.domain import sessions
from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.rules import RuleSet
from tamis.domain.sessions import DAY_MS, GAP_MS, SessionBook, Sessions
from tamis.intake import Intake
from tamis.records.batch import RawBatch
from tests.support.core import START, ConsentTable, StoredRecord, small_bundle, small_intake, track

FIXED = {"version": 1, "owner": "growth", "sla": "4h", "stage": "intent", "destinations": ["hubspot"]}
WARM = START + GAP_MS


def intake(*rules: dict[str, Any], keyed: bool = True) -> Intake:
    base = small_bundle()
    bundle = msgspec.structs.replace(
        base,
        rules=RuleSet(tuple(compile_rule({**FIXED, **rule}) for rule in rules)),
        policy=msgspec.structs.replace(base.policy, keyed_by_subject=keyed),
    )
    consent = ConsentTable()
    for device in ("device-1", "device-2"):
        consent.set_device(device, analytics=Status.GRANTED, marketing=Status.GRANTED)
    return small_intake(consent, bundle)


class Source:
    """One partition, read in order."""

    def __init__(self, core: Intake) -> None:
        self.core, self.log, self.offset = core, AuditLog("events.raw/0"), 0

    def rules_of(self, *events: tuple[int, bytes]) -> list[str]:
        """The rule in the leaf of each (received at, value)."""
        first = self.offset
        records = [StoredRecord(first + n, at, value) for n, (at, value) in enumerate(events)]
        self.offset += len(records)
        made = self.core.process(self.log, RawBatch("events.raw", 0, records, first, self.offset, 0))
        return [msgspec.json.decode(leaf)["rule"].partition("#")[0] for leaf in made.leaves]


def page(at: int, device: str = "device-1") -> tuple[int, bytes]:
    return at, track(f"m-{at}-{device}", type="page", name="Home", anonymousId=device)


def signup(at: int, device: str = "device-1") -> tuple[int, bytes]:
    return at, track(f"s-{at}-{device}", anonymousId=device)


THIRD_PAGE = {
    "id": "engaged",
    "match": {"events": ["Newsletter Signup"], "when": {"path": "session.pages", "ge": 2}},
}
ONCE = {"id": "once", "match": {"events": ["Newsletter Signup"]}, "cap": {"per": "session", "most": 1}}
TWICE_A_DAY = {"id": "twice", "match": {"events": ["Newsletter Signup"]}, "cap": {"per": "day", "most": 2}}


def warmed(core: Intake) -> Source:
    source = Source(core)
    source.rules_of(page(START, "device-9"))
    return source


def test_a_condition_on_the_session_counts_in_order_within_a_batch_and_across() -> None:
    source = warmed(intake(THIRD_PAGE))
    assert source.rules_of(page(WARM), signup(WARM + 1), page(WARM + 2), signup(WARM + 3)) == ["-", "-", "-", "engaged"]
    assert source.rules_of(signup(WARM + 4), signup(WARM + 5, "device-2")) == ["engaged", "-"]


def test_a_pause_ends_a_session() -> None:
    source = warmed(intake(THIRD_PAGE))
    source.rules_of(page(WARM), page(WARM + 1))
    assert source.rules_of(signup(WARM + GAP_MS + 1)) == ["engaged"]
    assert source.rules_of(signup(WARM + 2 * GAP_MS + 2)) == ["-"]


def test_a_cap_leaves_the_rest_to_the_next_rule() -> None:
    rest = {"id": "rest", "match": {"events": ["Newsletter Signup"]}}
    source = warmed(intake(ONCE, rest))
    assert source.rules_of(signup(WARM), signup(WARM + 1), signup(WARM + 2, "device-2")) == ["once", "rest", "once"]
    assert source.rules_of(signup(WARM + GAP_MS + 2)) == ["once"]


def test_a_cap_per_day() -> None:
    source = warmed(intake(TWICE_A_DAY))
    hours = [signup(WARM + n * 3_600_000) for n in range(4)]
    assert source.rules_of(*hours) == ["twice", "twice", "-", "-"]
    assert source.rules_of(signup(WARM + DAY_MS)) == ["twice"]


def test_after_a_take_over_sessions_are_unknown_for_one_pause_and_caps_begin_anew() -> None:
    core = intake(THIRD_PAGE, ONCE)
    source = warmed(core)
    assert source.rules_of(page(WARM), page(WARM + 1), signup(WARM + 2)) == ["-", "-", "engaged"]
    source.offset += 10  # another worker had the partition meanwhile
    source.log = AuditLog("events.raw/0")
    assert source.rules_of(page(WARM + 3), page(WARM + 4), signup(WARM + 5)) == ["-", "-", "once"]
    later = WARM + 5 + GAP_MS
    assert source.rules_of(page(later, "device-2"), page(later + 1, "device-2"), signup(later + 2, "device-2")) == [
        "-", "-", "engaged",
    ]  # fmt: skip


def test_without_the_declaration_nothing_is_known() -> None:
    source = warmed(intake(THIRD_PAGE, ONCE, keyed=False))
    assert source.rules_of(page(WARM), page(WARM + 1), signup(WARM + 2)) == ["-", "-", "-"]
    assert source.core.sessions is None


def test_nobody_has_no_session() -> None:
    source = warmed(intake(ONCE))
    assert source.rules_of((WARM, track(anonymousId=None))) == ["-"]


def test_a_later_bundle_goes_on_with_the_sessions() -> None:
    first = intake(THIRD_PAGE)
    source = warmed(first)
    source.rules_of(page(WARM), page(WARM + 1))
    second = intake(THIRD_PAGE)
    second.sessions = first.sessions
    source.core = second
    assert source.rules_of(signup(WARM + 2)) == ["engaged"]


def test_memory_is_bounded_and_who_was_forgotten_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SUBJECTS", 2)
    kept = Sessions()
    kept.see("a", "page", 0)
    assert kept.see("a", "page", 2 * GAP_MS).whole
    kept.see("b", "page", 2 * GAP_MS + 1)
    kept.see("c", "page", 2 * GAP_MS + 2)
    assert len(kept) == 2
    back = kept.see("a", "page", 2 * GAP_MS + 3)
    assert (back.events, back.whole, back.read("events")) == (1, False, None)


def test_values_of_a_session() -> None:
    kept = Sessions()
    kept.see("x", "page", 0)
    kept.see("a", "page", GAP_MS)
    session = kept.see("a", "track", GAP_MS + 5_500)
    assert (session.read("events"), session.read("pages"), session.read("seconds")) == (2, 1, 5)


def test_partitions_are_apart() -> None:
    book = SessionBook()
    one, two = book.partition(0, 0, 5), book.partition(1, 0, 5)
    assert one is not two
    assert book.partition(0, 5, 9) is one
    assert book.partition(1, 6, 9) is not two
