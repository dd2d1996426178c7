"""The settings of spot checks: how many events are sampled, and what a sample shows."""

from typing import Annotated

import msgspec
from msgspec import Meta

PerMillion = Annotated[int, Meta(ge=0, le=1_000_000)]


class ReviewSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Spot checks: a few events that people look at, to see whether they are tagged as they should be."""

    tagged_per_million: Annotated[PerMillion, Meta(description="tagged events that are sampled, by rule")] = 200
    untagged_per_million: Annotated[PerMillion, Meta(description="events without a rule that are sampled")] = 100
    rules: Annotated[
        str, Meta(description="other rates of single rules, `rule_id=per_million`, separated by commas")
    ] = ""
    fields_of: Annotated[
        str,
        Meta(
            description="a destination whose minimised fields a sample shows, where the event may go there; empty: none"
        ),
    ] = ""
    target_ratio: Annotated[float, Meta(description="tagging error that is still accepted", gt=0, lt=1)] = 0.05
