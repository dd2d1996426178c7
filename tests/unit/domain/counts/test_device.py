"""Device classes: words of a closed vocabulary, whatever is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tamis.domain.counts.device import DEVICES, device_of
from tamis.domain.event import Event

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1"


def event(vendor: str = "segment", **context: Any) -> Event:
    return Event("id", "track", "Viewed", None, None, "d", None, {}, context, None, vendor)


@pytest.mark.parametrize(
    ("context", "device"),
    [
        ({"userAgent": CHROME}, "desktop"), ({"userAgent": IPHONE}, "mobile"), ({"userAgent": "x"}, "other"),
        ({"userAgent": "Googlebot/2.1"}, "bot"), ({"userAgent": "Mozilla/5.0 (iPad; ...)"}, "tablet"),
        ({"device": {"type": "Android"}}, "mobile"), ({"device": {"type": "fridge"}}, "other"),
        ({}, "-"), ({"userAgent": 7}, "-"), ({"userAgent": ""}, "-"), ({"device": "ios"}, "-"),
        ({"userAgent": "z" * 100_000}, "other"),
    ],
)  # fmt: skip
def test_the_user_agent_or_the_stated_device_gives_the_class(context: dict[str, Any], device: str) -> None:
    assert device in DEVICES
    assert device_of(event(**context)) == device
