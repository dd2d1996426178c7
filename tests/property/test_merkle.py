"""The frontier agrees with RFC 6962's recursive definition, however the leaves arrive."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.audit.merkle import Frontier, leaf_hash
from tests.support.merkle import root_of

LEAVES = [leaf_hash(str(i).encode()) for i in range(2001)]


def test_every_size_up_to_2000_has_the_recursive_root() -> None:
    cache: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for n in range(2001):
        assert frontier.n == n
        assert frontier.root() == root_of(LEAVES, 0, n, cache), n
        assert len(frontier.peaks) == n.bit_count()
        frontier.append(LEAVES[n])


@given(st.lists(st.integers(0, 70), max_size=25))
@settings(max_examples=300, deadline=None)
def test_batches_of_any_size_give_what_single_leaves_give(batches: list[int]) -> None:
    batched, single, start = Frontier(), Frontier(), 0
    for size in batches:
        chunk = LEAVES[start : start + size]
        batched.extend(iter(chunk))
        for digest in chunk:
            single.append(digest)
        start += size
        assert (batched.n, batched.peaks) == (single.n, single.peaks)
    assert batched.root() == root_of(LEAVES, 0, start, {})


@given(st.integers(0, 1000), st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_a_tree_resumed_from_its_peaks_goes_on_alike(before: int, after: int) -> None:
    whole, first = Frontier(), Frontier()
    whole.extend(LEAVES[: before + after])
    first.extend(LEAVES[:before])
    resumed = Frontier.from_peaks(first.n, first.peaks)
    resumed.extend(LEAVES[before : before + after])
    assert (resumed.n, resumed.root()) == (whole.n, whole.root())
    assert first.n == before, "resuming must not touch the original"
