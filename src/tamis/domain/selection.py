"""Which bundle decides, and which one is judged beside it.

Rules: a selection is a value; a newer one replaces it whole.
"""

import msgspec

from tamis.domain.bundle import Bundle


class Selection(msgspec.Struct, frozen=True):
    """What a worker runs.

    Attributes:
        active: the bundle that decides.
        candidate: the one that is compared, None for none.
        seq: number of the pointer that was followed, 0 for a folder.
    """

    active: Bundle
    candidate: Bundle | None = None
    seq: int = 0
