"""The partition of a key is the one other clients choose."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from tamis.kafka.partitioner import murmur2, partition_of, partition_of_series


@given(st.binary(max_size=64))
def test_murmur2_equals_another_implementation(raw: bytes) -> None:
    assert murmur2(raw) == aiokafka_murmur2(raw) & 0xFFFFFFFF


def test_murmur2_equals_the_values_in_kafkas_own_tests() -> None:
    vectors = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    for raw, signed in vectors.items():
        assert murmur2(raw) == signed & 0xFFFFFFFF


@given(st.binary(min_size=1, max_size=64), st.integers(1, 100))
def test_partition_equals_another_clients(key: bytes, partitions: int) -> None:
    everything = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everything, everything)


@given(st.text("ab-.", min_size=1, max_size=8), st.integers(1, 8))
def test_all_series_of_a_site_share_a_partition(site: str, partitions: int) -> None:
    places = {partition_of_series(f"{site}/{rule}", partitions) for rule in ("lead", "cart", "-")}
    assert places == {partition_of(site.encode(), partitions)}
