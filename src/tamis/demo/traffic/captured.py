"""Bodies captured from real SDKs, as shipped with the package.

Rules: byte for byte what the vendors' clients sent (tests/vectors/payloads has them with their facts); their own times
and ids are kept, so most of them are late or about somebody without a consent record.
"""

import gzip
from importlib import resources

import msgspec


class Captured(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        vendor: whose client sent it.
        endpoint: where to.
        events: how many events the body holds.
        body: the text.
    """

    vendor: str
    endpoint: str
    events: int
    body: str


def load() -> list[Captured]:
    """All captured requests, in a fixed order."""
    packed = resources.files("tamis.demo").joinpath("captured.jsonl.gz").read_bytes()
    return msgspec.json.Decoder(Captured).decode_lines(gzip.decompress(packed))
