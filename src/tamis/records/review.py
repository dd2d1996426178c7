"""``review.samples`` and ``review.labels``: events that people look at, and what they say of them.

Rules: a sample names nobody: no id of a person, device or event, no pseudonym; its own id is a keyed digest; its time
is rounded down to the hour; its fields are those that a destination's allow-list lets out, and only where the event was
allowed to go there. The key of both topics is the sample's id; the last label of a sample counts.
"""

from typing import Any

import msgspec


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event to look at.

    Attributes:
        id: of the sample, keyed.
        position: source position, for `tamis explain`.
        hour: start of the hour it happened in, ms.
        per_million: rate at which its stratum is sampled.
        bundle: hash of the rules it was tagged by.
        site: label, "other" or "-".
        kind: of the call.
        rule: that it was tagged with, "" for none.
        stage: of that rule.
        name: of the event where it may be told, else "".
        fields: minimised fields.
    """

    id: str
    position: str
    hour: int
    per_million: int
    bundle: str
    site: str
    kind: str
    rule: str = ""
    stage: str = ""
    name: str = ""
    fields: dict[str, Any] = {}


class Label(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody says of a sample.

    Attributes:
        sample: its id.
        rule: id of the rule it should have been tagged with, "" for none.
        at: ms.
    """

    sample: str
    rule: str
    at: int


encode_review = msgspec.json.Encoder().encode
"""A sample or a label as it is written (JSON)."""
_sample = msgspec.json.Decoder(Sample).decode
_label = msgspec.json.Decoder(Label).decode


def decode_sample(value: bytes | None) -> Sample | None:
    """A sample, None when the record is none."""
    try:
        return _sample(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def decode_label(value: bytes | None) -> Label | None:
    """A label, None when the record is none."""
    try:
        return _label(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
