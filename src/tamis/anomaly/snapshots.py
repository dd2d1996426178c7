"""Values of ``metrics.state``: a series or a site, explicit and portable (msgpack); nothing is unpickled."""

import msgspec

from tamis.anomaly.site_watch import SiteSnapshot
from tamis.anomaly.watch import SeriesSnapshot

SERIES, SITE = "series", "site"


class _Wrapped(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    state: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_wrapped = msgspec.msgpack.Decoder(_Wrapped)
_series = msgspec.msgpack.Decoder(SeriesSnapshot)
_site = msgspec.msgpack.Decoder(SiteSnapshot)


def encode_snapshot(state: SeriesSnapshot | SiteSnapshot) -> bytes:
    """The record's value."""
    kind = SERIES if isinstance(state, SeriesSnapshot) else SITE
    return _encoder.encode(_Wrapped(kind, msgspec.Raw(_encoder.encode(state))))


def decode_snapshot(value: bytes) -> SeriesSnapshot | SiteSnapshot:
    """What ``encode_snapshot`` was given.

    Raises:
        msgspec.DecodeError: not a snapshot.
        ValueError: a snapshot of another version.
    """
    found = _wrapped.decode(value)
    if found.kind == SERIES:
        return _series.decode(found.state)
    if found.kind == SITE:
        return _site.decode(found.state)
    raise ValueError(f"a snapshot of kind {found.kind[:20]!r}")
