"""Channels as Google Analytics' default channel group has them, from campaign, address or referring page."""

from __future__ import annotations

from typing import Any

import pytest

from tamis.domain.counts.channel import CHANNELS, channel_of, channel_of_campaign
from tamis.domain.event import Event

SHOP = "https://shop.example.test/p/1"


def event(**context: Any) -> Event:
    return Event("id", "track", "Viewed", None, None, "d", None, {}, context, None, "segment")


@pytest.mark.parametrize(
    ("medium", "source", "channel"),
    [
        ("cpc", "google", "paid_search"), ("CPC", "Google", "paid_search"), ("ppc", "bing", "paid_search"),
        ("paid", "facebook", "paid_social"), ("paid-social", "instagram", "paid_social"),
        ("cpv", "youtube", "paid_video"), ("cpc", "x.com", "paid_social"), ("cpc", "x", "paid_other"),
        ("cpc", "somewhere", "paid_other"),
        ("organic", "google", "search"), ("organic", "anything", "search"), ("", "duckduckgo", "search"),
        ("social", "", "social"), ("referral", "linkedin.com", "social"), ("social-media", "plan", "social"),
        ("email", "google", "email"), ("", "newsletter", "email"), ("e-mail", "", "email"),
        ("display", "", "display"), ("banner", "google", "display"), ("cpm", "partner", "display"),
        ("affiliate", "blog", "affiliates"), ("audio", "", "audio"), ("sms", "", "sms"), ("", "sms", "sms"),
        ("push", "", "push"), ("mobile-notification", "", "push"), ("", "firebase", "push"),
        ("referral", "partner.example", "referral"), ("link", "", "referral"), ("video", "", "video"),
        ("(none)", "(direct)", "direct"), ("", "", "direct"), ("carrier-pigeon", "loft", "unassigned"),
    ],
)  # fmt: skip
def test_a_campaign_is_grouped_by_medium_and_source(medium: str, source: str, channel: str) -> None:
    assert channel_of_campaign(medium, source) == channel
    assert channel_of(event(campaign={"medium": medium, "source": source or None})) == channel


@pytest.mark.parametrize(
    ("page", "channel"),
    [
        ({"url": SHOP, "referrer": "https://www.google.de/"}, "search"),
        ({"url": SHOP, "referrer": "https://t.co/abc"}, "social"),
        ({"url": SHOP, "referrer": "https://m.facebook.com/"}, "social"),
        ({"url": SHOP, "referrer": "https://www.youtube.com/watch"}, "video"),
        ({"url": SHOP, "referrer": "https://t.example.test/"}, "referral"),
        ({"url": SHOP, "referrer": "https://shop.example.test/"}, "internal"),
        ({"url": SHOP, "referrer": "android-app:nonsense"}, "direct"),
        ({"url": SHOP, "referrer": ""}, "direct"), ({"url": SHOP}, "direct"), ({}, "direct"),
        ({"url": SHOP + "?utm_medium=email&utm_source=nov"}, "email"),
        ({"url": SHOP + "?utm_source=google&utm_medium=cpc#x", "referrer": "https://a.test/"}, "paid_search"),
        ({"url": SHOP + "?a=1&gclid=xyz"}, "paid_search"), ({"url": SHOP + "?notgclid=xyz"}, "direct"),
        ({"url": SHOP + "?pid=7", "referrer": "https://www.bing.com/"}, "search"),
        ({"url": SHOP + "?utm_medium=" + "&" * 100}, "direct"),
    ],
)  # fmt: skip
def test_without_a_campaign_the_page_decides(page: dict[str, str], channel: str) -> None:
    assert channel_of(event(page=page)) == channel


def test_the_first_of_repeated_parameters_counts() -> None:
    assert channel_of(event(page={"url": SHOP + "?utm_medium=email&utm_medium=sms"})) == "email"


@pytest.mark.parametrize(
    "context",
    [
        {}, {"campaign": []}, {"campaign": {"medium": 7}}, {"page": "x"}, {"page": {"url": 1, "referrer": 2}},
        {"campaign": {"medium": "m" * 9_999, "source": "\ud800"}},
        {"page": {"url": "?utm_source=%00%ff&utm_medium=\x1b[31m", "referrer": "https://" + "r." * 5_000}},
        {"page": {"url": "id=", "referrer": "//"}},
    ],
)  # fmt: skip
def test_whatever_is_sent_the_result_is_a_word_of_the_vocabulary(context: dict[str, Any]) -> None:
    assert channel_of(event(**context)) in CHANNELS
