"""Proofs against pymerkle, another implementation of RFC 6962: the same roots and proofs; what is changed fails."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from tamis.domain.audit.merkle import Frontier, leaf_hash
from tamis.domain.audit.proof import (
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    range_root,
    stored_nodes,
)
from tamis.domain.audit.tiles import TileId, tile_nodes, tile_root

MOST = 2_000
ENTRIES = [str(i).encode() for i in range(MOST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
NODE = stored_nodes(LEAVES)


def _theirs() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        tree.append_entry(entry)
    return tree


THEIRS = _theirs()
ROOTS = [range_root(NODE, 0, size) for size in range(MOST + 1)]


def test_roots_of_all_sizes_are_theirs() -> None:
    frontier = Frontier()
    for size in range(1, MOST + 1):
        frontier.append(LEAVES[size - 1])
        assert ROOTS[size] == THEIRS.get_root(size) == frontier.root(), size


@given(st.integers(1, MOST), st.data())
@settings(max_examples=400, deadline=None)
def test_inclusion_proofs_are_theirs_and_hold(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(NODE, index, size)
    assert proof == THEIRS.prove_inclusion(index + 1, size).path[1:]
    assert inclusion_holds(proof, index, size, LEAVES[index], ROOTS[size])
    other = data.draw(st.integers(0, MOST - 1).filter(lambda other: other != index))
    assert not inclusion_holds(proof, other, size, LEAVES[index], ROOTS[size])
    assert not inclusion_holds(proof, index, size, LEAVES[other], ROOTS[size])
    assert not inclusion_holds([*proof, LEAVES[0]], index, size, LEAVES[index], ROOTS[size])
    assert not proof or not inclusion_holds(proof[:-1], index, size, LEAVES[index], ROOTS[size])


@given(st.integers(0, MOST), st.data())
@settings(max_examples=400, deadline=None)
def test_consistency_proofs_hold_and_those_of_other_trees_do_not(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(NODE, old, new)
    assert consistency_holds(proof, old, ROOTS[old], new, ROOTS[new])
    wrong = leaf_hash(b"of no tree here")
    assert old == 0 or not consistency_holds(proof, old, ROOTS[old], new, wrong), "every tree begins with no leaves"
    assert not consistency_holds(proof, old, wrong, new, ROOTS[new])
    assert not consistency_holds([*proof, wrong], old, ROOTS[old], new, ROOTS[new])
    assert not consistency_holds(proof, new, ROOTS[new], old, ROOTS[old]) or old == new


@given(st.integers(1, MOST), st.data())
@settings(max_examples=200, deadline=None)
def test_proofs_from_tiles_are_those_from_leaves(size: int, data: st.DataObject) -> None:
    def read(tile: TileId) -> bytes:
        base, count = tile.index * 256, tile.width
        if tile.level == 0:
            return b"".join(LEAVES[base : base + count])
        return b"".join(tile_root(LEAVES[(base + i) * 256 : (base + i + 1) * 256]) for i in range(count))

    node = tile_nodes(read, size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert inclusion_proof(node, index, size) == inclusion_proof(NODE, index, size)
    assert consistency_proof(node, old, size) == consistency_proof(NODE, old, size)
