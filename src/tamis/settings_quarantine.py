"""The settings of the quarantine's limit."""

from typing import Annotated

import msgspec
from msgspec import Meta


class QuarantineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When so much is refused that intake stops instead of draining everything into quarantine (`tamis resume`)."""

    max_ratio: Annotated[
        float,
        Meta(
            description="above this share of refused events, over all partitions, intake pauses; 0: never", ge=0, le=1
        ),
    ] = 0.5
    window_minutes: Annotated[int, Meta(description="closed minutes the share is taken of", ge=1, le=60)] = 5
    min_events: Annotated[
        int, Meta(description="fewer refused events than this within the window never pause it", ge=1)
    ] = 10_000
