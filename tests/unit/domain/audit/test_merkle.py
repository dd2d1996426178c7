"""Known tree heads, and peaks that cannot be."""

import pytest

from tamis.domain.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash, leaf_hashes, node_hash

# The eight leaves and the roots of the Certificate Transparency reference implementation's own tests.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", CT_ROOTS)
def test_the_certificate_transparency_vectors(size: int) -> None:
    frontier = Frontier()
    frontier.extend(leaf_hashes(bytes.fromhex(leaf) for leaf in CT_LEAVES[:size]))
    assert frontier.root().hex() == CT_ROOTS[size]


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hashes([b"a", b"b"]) == [left, right]


def test_a_copy_is_independent() -> None:
    frontier = Frontier()
    frontier.append(leaf_hash(b"a"))
    other = frontier.copy()
    other.append(leaf_hash(b"b"))
    assert (frontier.n, len(frontier.peaks)) == (1, 1)
    assert frontier.root() == leaf_hash(b"a") != other.root()
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize(("n", "peaks"), [(1, []), (2, [b"x" * 32] * 2), (1, [b"short"]), (-1, [b"x" * 32])])
def test_peaks_that_do_not_fit_are_refused(n: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="peaks do not fit"):
        Frontier.from_peaks(n, peaks)
