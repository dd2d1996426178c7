"""Values of ``metrics.partials``, ``.windows``, ``.rollups`` and ``.public``: counts from batch to closed minute.

Rules: a series is "<site>/<rule>" ("-" where there is none); all series of a site live in one partition of the metrics
topics (murmur2 of the site), so a series meets the step before it and its neighbours; ``minute`` is epoch minutes of
``received_at``; sums over windows equal the audit ledger to the event.
"""

from collections.abc import Iterable, Iterator

import msgspec

from tamis.domain.outcome import LATER


class Cell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Events of one series, minute and fate, by facets.

    ``[series, minute, outcome, reason, n, value, stage, channel, device, producer]``
    """

    series: str
    minute: int
    outcome: str
    reason: str
    n: int
    value: float
    stage: str = "-"
    channel: str = "-"
    device: str = "-"
    producer: str = "-"


class SubjectsCell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The distinct subjects of one series and minute: ``[series, minute, sketch, accepted]``.

    Sketches are those of ``domain.counts.sketch``; ``accepted`` is that of those who had an event accepted.
    """

    series: str
    minute: int
    sketch: bytes
    accepted: bytes = b""


class Partial(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one input batch adds to one metrics partition, with the source's watermark.

    Attributes:
        source: "<topic>/<partition>" of the input.
        sources: how many partitions that topic has: a minute closes when all have passed it.
        first: first offset of the batch.
        next: offset after the batch.
        watermark: every later record of this source has ``received_at`` >= this, ms.
        cells: may be empty (a watermark alone).
        subjects: of the same series and minutes.
    """

    source: str
    sources: int
    first: int
    next: int
    watermark: int
    cells: tuple[Cell, ...] = ()
    subjects: tuple[SubjectsCell, ...] = ()


class WindowCell(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``[outcome, reason, n, value, stage, channel, device, producer]`` within a window."""

    outcome: str
    reason: str
    n: int
    value: float
    stage: str = "-"
    channel: str = "-"
    device: str = "-"
    producer: str = "-"


class Window(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="window", omit_defaults=True, gc=False):
    """One closed minute of one series (``metrics.windows``; key = series).

    Attributes:
        series: "<site>/<rule>".
        minute: epoch minutes.
        cells: each combination that occurred, once.
        subjects: sketch of the distinct subjects (``domain.counts.sketch``), empty for nobody.
        accepted: sketch of those who had an event accepted.
    """

    series: str
    minute: int
    cells: tuple[WindowCell, ...]
    subjects: bytes = b""
    accepted: bytes = b""


class RollUp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A longer span of one series that is over (``metrics.rollups``; key = series).

    Attributes:
        series: "<site>/<rule>".
        minutes: its length: 5, 60 or 1440.
        start: its first minute, epoch minutes, a multiple of its length (days are those of UTC).
        cells: each combination that occurred, once.
        subjects: sketch of the distinct subjects of the whole span.
    """

    series: str
    minutes: int
    start: int
    cells: tuple[WindowCell, ...]
    subjects: bytes = b""


class PublicCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Accepted events of some people, never of few (``metrics.public``; key = series).

    Records are disjoint: sums over any of them count no event twice. What a record of more than one minute counts are
    the events of its span that no shorter one counts.

    Attributes:
        series: "<site>/<rule>"; "<site>/*" and "*/*" for what is left of small series on a day.
        start: first minute of the span, epoch minutes.
        minutes: its length: 1, 5, 60 or 1440.
        n: events.
        value: sum of their values, to two decimal places.
        subjects: about how many people.
    """

    series: str
    start: int
    minutes: int
    n: int
    value: float
    subjects: int


class MinuteClosed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="closed", gc=False):
    """After all windows of a minute in a partition: nothing more comes for it. ``n`` = ``arrivals`` of the minute."""

    minute: int
    n: int
    series: int


Closing = Window | MinuteClosed


def arrived(cells: Iterable[WindowCell]) -> Iterator[WindowCell]:
    """The cells of events that came in: those counted when they were held are not counted again when decided."""
    return (cell for cell in cells if cell.outcome not in LATER)


def arrivals(cells: Iterable[WindowCell]) -> int:
    """How many events came in."""
    return sum(cell.n for cell in arrived(cells))


_ENCODER = msgspec.json.Encoder()
_PARTIAL = msgspec.json.Decoder(Partial)
_ROLLUP = msgspec.json.Decoder(RollUp)
_PUBLIC = msgspec.json.Decoder(PublicCount)
_CLOSING: msgspec.json.Decoder[Closing] = msgspec.json.Decoder(Closing)


def encode_metric(record: Partial | Window | MinuteClosed | RollUp | PublicCount) -> bytes:
    """The record as it is written (JSON)."""
    return _ENCODER.encode(record)


def decode_partial(value: bytes) -> Partial:
    """A record of ``metrics.partials``.

    Raises:
        msgspec.DecodeError: not written by tamis, a fault.
    """
    return _PARTIAL.decode(value)


def decode_rollup(value: bytes) -> RollUp:
    """A record of ``metrics.rollups``.

    Raises:
        msgspec.DecodeError: not written by tamis, a fault.
    """
    return _ROLLUP.decode(value)


def decode_public(value: bytes) -> PublicCount:
    """A record of ``metrics.public``.

    Raises:
        msgspec.DecodeError: not written by tamis, a fault.
    """
    return _PUBLIC.decode(value)


def decode_closing(value: bytes) -> Closing:
    """A record of ``metrics.windows``: a window or the end of its minute.

    Raises:
        msgspec.DecodeError: not written by tamis, a fault.
    """
    return _CLOSING.decode(value)
