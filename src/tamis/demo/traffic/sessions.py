"""One visit: what is seen and done, and when, as offsets from its first page.

Rules: pages come one after the other with seconds to a minute between them; a conversion happens on a page, a little
after it was opened; nothing here knows the visitor or the time of day.
"""

from typing import Any

import msgspec

from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.sites import Conversion, Page, Site

MOST_PAGES = 14
_MORE_PAGES = 0.66  # chance of one more page
_DWELL_MEAN_MS, _DWELL_LEAST_MS, _DWELL_MOST_MS = 26_000, 3_000, 240_000


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens.

    Attributes:
        after_ms: since the first page.
        page: where.
        event: name of the event, "" for the page view itself.
        rule: rule that must tag it, "" when none knows it.
        properties: of the event.
    """

    after_ms: int
    page: Page
    event: str
    rule: str
    properties: dict[str, Any]


def steps(dice: Dice, site: Site) -> list[Step]:
    """The steps of one visit, in order of time."""
    views = _views(dice, site)
    found = [Step(after_ms=at, page=page, event="", rule="", properties={}) for at, page, _ in views]
    for at, page, dwell in views:
        for _ in range(dice.poisson(site.clicks_per_page)):
            clicked = dice.choice(site.clicks)
            position = {"position": dice.randrange(1, 9)}
            found.append(
                Step(after_ms=at + dice.randrange(dwell), page=page, event=clicked, rule="", properties=position)
            )
    for conversion in site.conversions:
        places = [view for view in views if not conversion.page or view[1].path == conversion.page]
        if places and dice.happens(conversion.chance):
            found.append(_converted(dice, conversion, *dice.choice(places)))
    found.sort(key=lambda step: step.after_ms)
    return found


def _views(dice: Dice, site: Site) -> list[tuple[int, Page, int]]:
    at, views = 0, []
    weights = [page.weight for page in site.pages]
    while True:
        dwell = min(_DWELL_MOST_MS, _DWELL_LEAST_MS + round(dice.expovariate(1 / _DWELL_MEAN_MS)))
        views.append((at, dice.choices(site.pages, weights)[0], dwell))
        if len(views) == MOST_PAGES or not dice.happens(_MORE_PAGES):
            return views
        at += dwell


def _converted(dice: Dice, conversion: Conversion, at: int, page: Page, dwell: int) -> Step:
    return Step(
        after_ms=at + dice.randrange(dwell // 4, dwell),
        page=page,
        event=conversion.event,
        rule=conversion.rule,
        properties=conversion.properties(dice),
    )
