"""Going on with another bundle."""

from tamis.domain.selection import Selection
from tamis.streaming.switch import Switch
from tests.support.bundles import minimal_bundle, reference_bundle


def test_what_is_made_of_a_selection_changes_when_it_does() -> None:
    offered = [Selection(minimal_bundle())]
    made: list[tuple[str, str | None]] = []
    told: list[Selection] = []

    def make(selection: Selection, before: str | None) -> str:
        made.append((selection.active.hash, before))
        return selection.active.hash

    switch = Switch(lambda: offered[0], make, told.append)
    assert (switch.made, switch.newer(), told) == (minimal_bundle().hash, None, [])
    offered[0] = Selection(reference_bundle(), seq=2)
    assert switch.newer() == switch.made == reference_bundle().hash
    assert switch.newer() is None
    assert made == [(minimal_bundle().hash, None), (reference_bundle().hash, minimal_bundle().hash)]
    assert told == [offered[0]]


def test_a_rotated_ring_makes_the_part_anew_and_tells_nobody() -> None:
    selection, rings, told = Selection(minimal_bundle()), ["first"], list[Selection]()
    made: list[str] = []

    def make(_selection: Selection, _before: str | None) -> str:
        made.append(rings[0])
        return rings[0]

    switch = Switch(lambda: selection, make, told.append, lambda: rings[0])
    assert switch.newer() is None
    rings[0] = "second"
    assert switch.newer() == "second"
    assert switch.newer() is None
    assert (made, told) == (["first", "second"], [])
