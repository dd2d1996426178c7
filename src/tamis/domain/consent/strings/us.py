"""GPP sections for the United States: one section's text in, ``UsSection`` or ``Malformed`` out.

Rules: the version must be one with a layout; a value is 0, 1 or 2; one more segment may follow, of the kind the layout
names. What the fields mean: ``us_signals``.
"""

import msgspec

from tamis.domain.consent.strings.bits import Cursor
from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.us_layouts import LAYOUTS, SENSITIVE_CATEGORIES, VERSION_BITS, Layout, layout_of

_GPC_SEGMENT = 1
_LOW_BITS = int("01" * 64, 2)  # of every two-bit value


class UsSection(msgspec.Struct, frozen=True, gc=False):
    """One decoded section.

    Attributes:
        layout: its fields.
        version: value of the version field.
        values: all two-bit values in the layout's order.
        gpc: the GPC segment's bit; None when the segment is absent.
        sensitive: values of the sensitive data segment; None when it is absent.
    """

    layout: Layout
    version: int
    values: tuple[int, ...]
    gpc: bool | None
    sensitive: tuple[int, ...] | None

    def get(self, field: str) -> tuple[int, ...]:
        """The values of a field; none when this section does not have it."""
        start, end = self.layout.spans.get(field, (0, 0))
        return self.values[start:end]


def decode_us(section: int, text: str) -> UsSection | Malformed:
    """Decodes section ``section`` (a key of ``LAYOUTS``) from its text."""
    name = LAYOUTS[section][1].name
    if text.count(".") > 1:
        return Malformed(Flaw.SEGMENT, name)
    core, dot, more = text.partition(".")
    cursor = Cursor(core)
    version = cursor.take(VERSION_BITS)
    layout = layout_of(section, version, cursor.size)
    if layout is None:
        return Malformed(cursor.flaw or Flaw.VERSION, name)
    values = _values(cursor, layout.size)
    cursor.finish()
    gpc = sensitive = None
    if dot and cursor.flaw is None:
        cursor = Cursor(more)
        if layout.gpc:
            gpc = _read_gpc(cursor)
        elif layout.sensitive:
            sensitive = _values(cursor, SENSITIVE_CATEGORIES)
        else:
            cursor.fail(Flaw.SEGMENT)
        cursor.finish()
    if cursor.flaw is not None:
        return Malformed(cursor.flaw, name)
    return UsSection(layout, version, values, gpc, sensitive)


def _values(cursor: Cursor, count: int) -> tuple[int, ...]:
    number = cursor.take_long(2 * count)
    if number & number >> 1 & _LOW_BITS:
        cursor.fail(Flaw.VALUE)  # both bits set: 3
    return tuple([number >> shift & 3 for shift in range(2 * count - 2, -1, -2)])


def _read_gpc(cursor: Cursor) -> bool:
    if cursor.take(2) != _GPC_SEGMENT:
        cursor.fail(Flaw.SEGMENT)
    return cursor.take(1) == 1
