"""Laws of folding: any order of arrival gives the same purposes, repeats add nothing, no tie loses a refusal."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tamis.domain.consent.fold import SALT_BYTES, fold
from tamis.domain.consent.model import KEPT_LINKS, KEPT_VERSIONS, ConsentChange, IdentityLink, Status, SubjectRecord

SALT = b"s" * SALT_BYTES

# Few values each, so that ties, repeats and the cut-off all happen.
changes = st.builds(
    ConsentChange,
    subject=st.just("k"),
    identity=st.just("person"),
    regulation=st.sampled_from(["gdpr", "ccpa"]),
    choices=st.dictionaries(st.sampled_from(["analytics", "marketing"]), st.sampled_from(Status), min_size=1),
    effective_at=st.integers(0, 6),
    recorded_at=st.integers(0, 6),
    source=st.sampled_from(["a", "b"]),
    seq=st.integers(0, 2),
    expires_at=st.sampled_from([None, 5, 50]),
    notice=st.sampled_from([None, "v1", "v2"]),
    authenticated=st.booleans(),
    other=st.sampled_from(["", "p", "q"]),
)
links = st.builds(
    IdentityLink,
    subject=st.just("k"),
    identity=st.just("device"),
    other=st.integers(0, KEPT_LINKS + 6).map(str),
    since=st.integers(0, 5),
)


def folded(stated: list[ConsentChange]) -> SubjectRecord:
    record: SubjectRecord | None = None
    for change in stated:
        record = fold(record, change, SALT)
    assert record is not None
    return record


@given(st.lists(changes, min_size=1, max_size=40).flatmap(lambda c: st.tuples(st.just(c), st.permutations(c))))
def test_any_order_of_arrival_gives_the_same_purposes(case: tuple[list[ConsentChange], list[ConsentChange]]) -> None:
    original, shuffled = case
    assert folded(original).purposes == folded(shuffled).purposes


@given(st.lists(changes, min_size=1, max_size=25), st.lists(st.integers(0, 24), max_size=25))
def test_repeats_change_nothing(stated: list[ConsentChange], repeats: list[int]) -> None:
    once = folded(stated)
    again = once
    for number in repeats:
        again = fold(again, stated[number % len(stated)], b"")
    assert again is once


@given(st.lists(changes, min_size=1, max_size=40))
def test_the_newest_version_is_a_refusal_when_the_newest_moment_has_one(stated: list[ConsentChange]) -> None:
    record = folded(stated)
    for scope, versions in record.purposes.items():
        regulation, purpose = scope.split("/")
        said = [c for c in stated if c.regulation == regulation and purpose in c.choices]
        newest = max((c.effective_at, c.seq) for c in said)
        refused = any(c.choices[purpose] is not Status.GRANTED for c in said if (c.effective_at, c.seq) == newest)
        assert (versions[0].status is not Status.GRANTED) == refused
        assert len(versions) <= KEPT_VERSIONS


@given(st.lists(changes, min_size=1, max_size=40))
def test_the_revision_grows_exactly_when_something_changed(stated: list[ConsentChange]) -> None:
    record = fold(None, stated[0], SALT)
    for change in stated[1:]:
        after = fold(record, change, b"")
        assert (after is record) == (replace(after, revision=record.revision) == record)
        assert after.revision == record.revision + (after is not record)
        record = after


@given(
    st.lists(links, min_size=1, max_size=3 * KEPT_LINKS).flatmap(lambda c: st.tuples(st.just(c), st.permutations(c)))
)
def test_links_keep_the_earliest_time_and_repeats_change_nothing(
    case: tuple[list[IdentityLink], list[IdentityLink]],
) -> None:
    records = []
    for order in case:
        record = fold(None, order[0], SALT)
        for link in [*order[1:], *order]:
            again = fold(record, link, b"")
            assert (again is record) == ((again.links, again.more_links) == (record.links, record.more_links))
            record = again
        records.append((record.links, record.more_links))
        assert all(fold(record, link, b"") is record for link in order)
    assert records[0] == records[1]
    earliest = sorted(
        (min(x.since for x in case[0] if x.other == other), other) for other in {x.other for x in case[0]}
    )
    assert [(link.since, link.subject) for link in records[0][0]] == earliest[:KEPT_LINKS]
    assert records[0][1] == (len(earliest) > KEPT_LINKS)


@given(st.lists(changes, min_size=1, max_size=60))
def test_the_newest_refusal_is_never_cut_off(stated: list[ConsentChange]) -> None:
    for scope, versions in folded(stated).purposes.items():
        regulation, purpose = scope.split("/")
        said = [c for c in stated if c.regulation == regulation and c.choices.get(purpose, Status.GRANTED) != "granted"]
        if said:
            newest = max((c.effective_at, c.seq) for c in said)
            assert newest in [(v.effective_at, v.seq) for v in versions if v.status is not Status.GRANTED]
