"""The vendors tamis understands: one file each, one line here.

Rules: order is precedence where two vendors could claim a body; an envelope that takes the rest of a family is last.
"""

from collections.abc import Callable, Mapping

from tamis.envelopes.calls import Calls
from tamis.envelopes.dialect import Dialect
from tamis.envelopes.envelope import Envelope, Workbench
from tamis.envelopes.rudderstack import RUDDERSTACK
from tamis.envelopes.segment import SEGMENT

# Vendors whose calls follow the analytics.js specification; Segment takes what no other one recognises.
DIALECTS: tuple[Dialect, ...] = (RUDDERSTACK, SEGMENT)


def _any_call(bench: Workbench) -> Envelope:
    return Calls(bench, DIALECTS, DIALECTS)


def _only(dialect: Dialect) -> Callable[[Workbench], Envelope]:
    return lambda bench: Calls(bench, (dialect,), DIALECTS, sure=True)


# Asked in this order when a topic holds more than one vendor.
DETECTED: tuple[Callable[[Workbench], Envelope], ...] = (_any_call,)

# A topic fixed to one vendor.
FIXED: Mapping[str, Callable[[Workbench], Envelope]] = {dialect.vendor: _only(dialect) for dialect in DIALECTS}
