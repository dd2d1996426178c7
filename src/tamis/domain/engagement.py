"""How long a page was looked at and how far it was scrolled, under one name for all SDKs that send it.

Rules: ``engagement.time_on_page`` is in seconds, ``engagement.scroll_depth`` in percent of the page, 0..100; each is
read where the vendor's own SDK documents it and nowhere else, so an SDK that does not send it gives None; numbers that
came as text (query strings) count; what is negative, no number, or beyond ``MAX_SECONDS`` or 100 percent gives None.

Sources: GA4 enhanced measurement (``engagement_time_msec``, ``percent_scrolled``); PostHog page leave
(``$prev_pageview_duration``, ``$prev_pageview_max_scroll_percentage``); Mixpanel autocapture
(``$max_scroll_percentage``, ``$scroll_percentage``); RudderStack page lifecycle plugin (``visitDuration``); Snowplow
page pings (``pp_yoffset_max``, ``br_viewheight``, ``doc_height``).
"""

import re
from collections.abc import Callable
from typing import Any

from tamis.domain.event import Event

TIME_ON_PAGE = "time_on_page"
SCROLL_DEPTH = "scroll_depth"
KEYS = (TIME_ON_PAGE, SCROLL_DEPTH)
MAX_SECONDS = 86_400.0
_FULL = 100.0
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?\Z")

_Read = Callable[[dict[str, Any]], float | None]


def _key(name: str, scale: float = 1.0) -> _Read:
    def read(properties: dict[str, Any]) -> float | None:
        found = _number(properties.get(name))
        return None if found is None else found * scale

    return read


def _number(value: Any) -> float | None:
    if type(value) is int or type(value) is float:
        return float(value) if 0 <= value < 10**12 else None
    if type(value) is str and _NUMBER.match(value):
        return float(value)
    return None


def _snowplow_depth(properties: dict[str, Any]) -> float | None:
    """Lowest line seen over the height of the page."""
    offset, view, height = (_number(properties.get(name)) for name in ("pp_yoffset_max", "br_viewheight", "doc_height"))
    if offset is None or view is None or not height:
        return None
    return min(_FULL, (offset + view) / height * _FULL)


_TIME: dict[str, tuple[_Read, ...]] = {
    "ga4": (_key("engagement_time_msec", 0.001),),
    "posthog": (_key("$prev_pageview_duration"),),
    "rudderstack": (_key("visitDuration", 0.001),),
}
_DEPTH: dict[str, tuple[_Read, ...]] = {
    "ga4": (_key("percent_scrolled"),),
    "posthog": (_key("$prev_pageview_max_scroll_percentage", _FULL),),
    "mixpanel": (_key("$max_scroll_percentage"), _key("$scroll_percentage")),
    "snowplow": (_snowplow_depth,),
}
_TABLES = {TIME_ON_PAGE: (_TIME, MAX_SECONDS), SCROLL_DEPTH: (_DEPTH, _FULL)}


def engagement(key: str) -> Callable[[Event], float | None]:
    """A function that reads ``engagement.<key>`` of an event; ``key`` is one of ``KEYS``."""
    table, most = _TABLES[key]

    def read(event: Event) -> float | None:
        for way in table.get(event.vendor, ()):
            found = way(event.properties)
            if found is not None:
                return found if found <= most else None
        return None

    return read
