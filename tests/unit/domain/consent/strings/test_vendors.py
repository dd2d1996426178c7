"""Vendor sets: bit fields and ranges, membership and spans, and what a range may not be."""

from __future__ import annotations

import pytest

from tamis.domain.consent.strings.bits import Cursor
from tamis.domain.consent.strings.flaw import Flaw
from tamis.domain.consent.strings.vendors import VendorSet, read_vendors
from tests.support.consent_strings import entries, number, text_of, vendors


def _read(bits: str) -> tuple[VendorSet, Flaw | None]:
    cursor = Cursor(text_of(bits))
    return read_vendors(cursor), cursor.flaw


@pytest.mark.parametrize("field", [False, True])
@pytest.mark.parametrize("spans", [(), ((1, 1),), ((1, 3), (5, 5), (7, 65)), ((40, 40), (42, 900))])
def test_both_forms_hold_the_same_vendors(spans: tuple[tuple[int, int], ...], field: bool) -> None:
    found, flaw = _read(vendors(spans, field=field))
    ids = {vendor for first, last in spans for vendor in range(first, last + 1)}
    assert (flaw, found.spans(), set(found.ids())) == (None, list(spans), ids)
    assert {vendor for vendor in range(-1, 1000) if vendor in found} == ids
    assert 65536 not in found
    assert 65535 not in found


def test_ranges_in_any_order_count_together() -> None:
    found, flaw = _read(number(200, 16) + "1" + entries([(50, 60), (1, 200), (10, 20)]))
    assert (flaw, found.ordered, found.spans()) == (None, False, [(1, 200)])
    assert all(vendor in found for vendor in (1, 55, 70, 200))
    assert 201 not in found


def test_neighbours_become_one_span() -> None:
    found, _ = _read(vendors(((1, 3), (4, 6), (8, 8))))
    assert found.spans() == [(1, 6), (8, 8)]


def test_the_highest_id_of_all() -> None:
    found, flaw = _read(vendors(((65535, 65535),)))
    assert (flaw, 65535 in found, 65534 in found) == (None, True, False)


@pytest.mark.parametrize("bad", [(0, 0), (0, 5), (9, 8), (3, 11), (11, 11)])
def test_a_range_must_be_one(bad: tuple[int, int]) -> None:
    found, flaw = _read(number(10, 16) + "1" + entries([(1, 2), bad]))
    assert (flaw, found.spans()) == (Flaw.RANGE, [])


def test_more_ranges_than_bits_are_truncated_at_once() -> None:
    found, flaw = _read(number(10, 16) + "1" + number(4095, 12) + "0" * 40)
    assert (flaw, found.spans()) == (Flaw.TRUNCATED, [])


def test_a_group_cut_in_its_end_is_truncated() -> None:
    whole = number(900, 16) + "1" + entries([(1, 2), (4, 900)])
    assert _read(whole[:-8])[1] is Flaw.TRUNCATED


def test_a_field_longer_than_the_string_is_truncated() -> None:
    assert _read(number(65535, 16) + "0" + "1" * 100)[1] is Flaw.TRUNCATED
