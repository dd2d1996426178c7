"""Sets of vendor ids as TC strings carry them: a bit field or ranges, kept as they came and never spread out.

Rules: ids are 1 to 65535; a range's end is not before its start and not beyond the stated highest id; ranges may come
in any order and overlap (their union counts). Membership is a bisection for ordered ranges, else one pass over them.
Source: IAB Tech Lab, TC string and vendor list formats v2, "Vendor Consent Section"; GPP data type OptimizedIntRange.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from tamis.domain.consent.strings.bits import Cursor
from tamis.domain.consent.strings.flaw import Flaw

HIGHEST_ID = 0xFFFF
_SINGLE, _GROUP = 17, 33  # bits of one range entry
_IDS = 0xFFFFFFFF  # both ids of a group, after the bit that says it is one
_ENTRY = 1 << 32 | _IDS
_RUNS = re.compile("1+").finditer


class VendorSet(msgspec.Struct, frozen=True, gc=False):
    """Vendor ids, packed.

    Attributes:
        highest: the highest id of the bit field; 0 when ranges were sent.
        field: one bit an id, id 1 first.
        ranges: ``first << 16 | last`` for each range, as sent.
        ordered: ranges ascend without overlap.
    """

    highest: int
    field: int
    ranges: "array[int]"
    ordered: bool

    def __contains__(self, vendor: int) -> bool:
        """Whether ``vendor`` is in the set."""
        if not 0 < vendor <= HIGHEST_ID:
            return False
        if self.highest:
            return vendor <= self.highest and self.field >> (self.highest - vendor) & 1 == 1
        if self.ordered:
            at = bisect_right(self.ranges, vendor << 16 | HIGHEST_ID) - 1
            return at >= 0 and vendor <= self.ranges[at] & HIGHEST_ID
        return any(entry >> 16 <= vendor <= entry & HIGHEST_ID for entry in self.ranges)

    def spans(self) -> list[tuple[int, int]]:
        """The set as ascending, disjoint, non-adjacent ``(first, last)``."""
        if self.highest:
            return [(run.start() + 1, run.end()) for run in _RUNS(f"{self.field:0{self.highest}b}")]
        merged: list[tuple[int, int]] = []
        for entry in sorted(self.ranges):
            first, last = entry >> 16, entry & HIGHEST_ID
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return merged

    def ids(self) -> Iterator[int]:
        """Every id, ascending; up to 65535 of them."""
        return (vendor for first, last in self.spans() for vendor in range(first, last + 1))


NOBODY = VendorSet(0, 0, array("I"), ordered=True)


def read_vendors(cursor: Cursor) -> VendorSet:
    """Reads MaxVendorId, IsRangeEncoding, and the bit field or the ranges."""
    head = cursor.take(17)
    highest = head >> 1
    if head & 1:
        return read_ranges(cursor, highest)
    if not highest:
        return NOBODY
    return VendorSet(highest, cursor.take_long(highest), NOBODY.ranges, ordered=True)


def read_ranges(cursor: Cursor, highest: int = HIGHEST_ID) -> VendorSet:
    """Reads NumEntries and as many range entries; ``highest`` is the highest id they may name."""
    count = cursor.take(12)
    if not count:
        return NOBODY
    octets, size, pos = cursor.octets, cursor.size, cursor.pos
    if pos + count * _SINGLE > size:
        cursor.fail(Flaw.TRUNCATED)
        return NOBODY
    ranges, reached, ordered = array("I"), 0, True
    add, number = ranges.append, int.from_bytes
    for _ in range(count):
        at = pos >> 3
        entry = number(octets[at : at + 5]) >> (7 - (pos & 7)) & _ENTRY  # the 33 bits from here on
        if entry > _IDS:
            pos += _GROUP
            entry &= _IDS
            first, last = entry >> 16, entry & HIGHEST_ID
        else:
            pos += _SINGLE
            first = last = entry >> 16
            entry = first * 0x10001
        if not 0 < first <= last <= highest or pos > size:
            cursor.fail(Flaw.TRUNCATED if pos > size else Flaw.RANGE)
            return NOBODY
        if first <= reached:
            ordered = False
        reached = last
        add(entry)
    cursor.pos = pos
    return VendorSet(0, 0, ranges, ordered)
