"""``quarantine.replays``: which refused records were sent again; the key is that of the quarantine record.

Rules: written in the transaction of the record sent again, so it is there exactly when that is.
"""

import msgspec


class Replayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record that was sent again.

    Attributes:
        at: ms.
        topic, partition, offset: where it had come from; it went to the same partition.
    """

    at: int
    topic: str
    partition: int
    offset: int


encode_replayed = msgspec.json.Encoder().encode
