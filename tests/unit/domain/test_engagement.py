"""Time on page and scroll depth under one name."""

from typing import Any

import msgspec
import pytest

from tamis.domain.paths import getter, parse_path, required_path
from tests.support.bundles import event


def read(path: str, vendor: str, **properties: Any) -> Any:
    return getter(required_path(path))(msgspec.structs.replace(event(properties=properties), vendor=vendor))


@pytest.mark.parametrize(
    ("vendor", "properties", "seconds"),
    [
        ("ga4", {"engagement_time_msec": 4200}, 4.2),
        ("ga4", {"engagement_time_msec": "4200"}, 4.2),
        ("posthog", {"$prev_pageview_duration": 12.5}, 12.5),
        ("rudderstack", {"visitDuration": 30_000}, 30.0),
        ("segment", {"engagement_time_msec": 4200}, None),
        ("ga4", {"engagement_time_msec": -1}, None),
        ("ga4", {"engagement_time_msec": True}, None),
        ("ga4", {"engagement_time_msec": "4 s"}, None),
        ("ga4", {"engagement_time_msec": float("nan")}, None),
        ("ga4", {"engagement_time_msec": 10**40}, None),
        ("ga4", {"engagement_time_msec": 90_000_000_000}, None),
        ("ga4", {}, None),
    ],
)
def test_time_on_page(vendor: str, properties: dict[str, Any], seconds: float | None) -> None:
    assert read("engagement.time_on_page", vendor, **properties) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("vendor", "properties", "percent"),
    [
        ("ga4", {"percent_scrolled": 90}, 90.0),
        ("posthog", {"$prev_pageview_max_scroll_percentage": 0.5}, 50.0),
        ("mixpanel", {"$max_scroll_percentage": 75}, 75.0),
        ("mixpanel", {"$scroll_percentage": "25"}, 25.0),
        ("snowplow", {"pp_yoffset_max": 600, "br_viewheight": 400, "doc_height": 2000}, 50.0),
        ("snowplow", {"pp_yoffset_max": "1800", "br_viewheight": "400", "doc_height": "2000"}, 100.0),
        ("snowplow", {"pp_yoffset_max": 600, "br_viewheight": 400, "doc_height": 0}, None),
        ("snowplow", {"pp_yoffset_max": 600, "doc_height": 2000}, None),
        ("mixpanel", {"$max_scroll_percentage": 101}, None),
        ("matomo", {"percent_scrolled": 90}, None),
    ],
)
def test_scroll_depth(vendor: str, properties: dict[str, Any], percent: float | None) -> None:
    assert read("engagement.scroll_depth", vendor, **properties) == pytest.approx(percent)


@pytest.mark.parametrize("path", ["engagement", "engagement.other", "engagement.time_on_page.x", "session.user"])
def test_closed_names(path: str) -> None:
    assert parse_path(path) is None
