"""The vendors tamis understands: one file each, one line here.

Rules: calls of the analytics.js form are asked first and cost the others nothing; the other vendors' bodies are told
apart by fields only one of them has, so their order decides nothing between well-formed bodies. Where a record's
headers name a vendor (``beside``) that one is asked first.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tamis.envelopes.amplitude import Amplitude
from tamis.envelopes.beside import Order
from tamis.envelopes.calls import Calls
from tamis.envelopes.cloudevents import CloudEvents
from tamis.envelopes.dialect import Dialect
from tamis.envelopes.envelope import Envelope, Workbench
from tamis.envelopes.ga4 import Ga4
from tamis.envelopes.jitsu import JITSU, posted_calls
from tamis.envelopes.matomo import Matomo
from tamis.envelopes.mixpanel import Mixpanel
from tamis.envelopes.mparticle import MParticle
from tamis.envelopes.posthog import PostHog
from tamis.envelopes.precise import Precise
from tamis.envelopes.rudderstack import RUDDERSTACK
from tamis.envelopes.segment import SEGMENT
from tamis.envelopes.snowplow import Snowplow
from tamis.envelopes.vendor import Reader, Vendors

Maker: TypeAlias = Callable[[Workbench], Envelope]

# Vendors whose calls follow the analytics.js specification; Segment takes what no other one recognises.
DIALECTS: tuple[Dialect, ...] = (RUDDERSTACK, JITSU, SEGMENT)

# All others, asked in this order.
READERS: Mapping[str, Callable[[Workbench], Reader]] = {
    "cloudevents": CloudEvents,
    "snowplow": Snowplow,
    "ga4": Ga4,
    "amplitude": Amplitude,
    "mparticle": MParticle,
    "matomo": Matomo,
    "posthog": PostHog,
    "mixpanel": Mixpanel,
}


def _calls(bench: Workbench, calls: Envelope) -> Envelope:
    return Precise(calls) if bench.as_sent else calls


def _any_call(bench: Workbench) -> Envelope:
    return _calls(bench, Calls(bench, DIALECTS, DIALECTS))


def _any_jitsu(bench: Workbench) -> Envelope:
    return _calls(bench, posted_calls(bench, DIALECTS, sure=False))


def _any_other(bench: Workbench) -> Envelope:
    return Vendors([make(bench) for make in READERS.values()])


def _only(dialect: Dialect) -> Maker:
    return lambda bench: _calls(bench, Calls(bench, (dialect,), DIALECTS, sure=True))


def _only_reader(make: Callable[[Workbench], Reader]) -> Maker:
    return lambda bench: Vendors([make(bench)], sure=True)


# Asked in this order when a topic holds more than one vendor, by what the headers of a record say.
DETECTED: Mapping[Order, tuple[Maker, ...]] = {
    Order.CALLS: (_any_call, _any_other),
    Order.JITSU: (_any_jitsu, _any_other),
    Order.VENDORS: (_any_other, _any_call),
}

# A topic fixed to one vendor.
FIXED: Mapping[str, Maker] = {
    **{dialect.vendor: _only(dialect) for dialect in DIALECTS},
    **{vendor: _only_reader(make) for vendor, make in READERS.items()},
}
