"""Bots: known crawlers, headless browsers, scripts, and events that say so; real phones and apps are none."""

from __future__ import annotations

from typing import Any

import pytest

from tamis.domain.bots import MAX_CACHED, BotFinder, bot_of_agent
from tamis.domain.event import Event

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler"),
        (PHONE.format("6.0.1; Nexus 5X Build/MMB29P") + " (compatible; Googlebot/2.1)", "crawler"),
        ("AdsBot-Google (+http://www.google.com/adsbot.html)", "crawler"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "crawler"),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", "crawler"),
        ("Mozilla/5.0 (compatible; YandexMobileBot/3.0)", "crawler"),
        ("Sogou web spider/4.0", "crawler"),
        ("facebookexternalhit/1.1", "crawler"),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0)", "crawler"),
        ("Mozilla/5.0 (compatible; PerplexityBot/1.0)", "crawler"),
        ("WhatsApp/2.23.20.0 A", "crawler"),
        ("Mozilla/5.0 (compatible; Nobody-Knows-Crawler/0.1)", "crawler"),
        ("Mozilla/5.0 (compatible; SomeBot; like Gecko)", "crawler"),
        ("Mozilla/5.0 (compatible; Indexer 1.0; +https://indexer.example.test/about)", "crawler"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "headless"),
        ("Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/26.1.0", "headless"),
        ("Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 PhantomJS/2.1.1 Safari/538.1", "headless"),
        ("curl/8.4.0", "script"),
        ("python-requests/2.32.3", "script"),
        ("Go-http-client/2.0", "script"),
        ("axios/1.7.2", "script"),
        ("node", "script"),
    ],
)
def test_software_that_says_what_it_is(agent: str, why: str) -> None:
    assert bot_of_agent(agent) == why


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        PHONE.format("7.0; CUBOT_NOTE_S Build/NRD90M"),
        PHONE.format("9; CUBOT X19"),
        PHONE.format("6.0; Cubot"),
        PHONE.format("8.1; SPIDER X9 Build/X"),
        PHONE.format("10; de-de; My Crawler Build/1"),
        PHONE.format("11; Robotel"),
        IPHONE + "Mobile/15E148 [Pinterest/iOS]",
        IPHONE + "Mobile/21F79 [FBAN/FBIOS;FBAV/468.0.0.34.107]",
        IPHONE + "Mobile/15E148 Instagram 300.0.0.0 [LinkedInApp]/9.29",
        IPHONE + "GSA/270.0 Mobile/15E148 Safari/604.1",
        IPHONE + "Mobile DuckDuckGo/7 Safari/605.1.15",
        PHONE.format("12; arm_64") + " YaBrowser/23.11 YandexSearch/23.11",
        CHROME + " SE 2.X MetaSr 1.0",
        CHROME + " Slack/4.35.126 Electron/28",
        "okhttp/4.12.0",
        "Shop/7 CFNetwork/1494.0.7 Darwin/23.4.0",
        "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B)",
        "Mozilla/5.0 (X11; Linux x86_64) ExampleBrowser/1.0",
        "",
        "\ud800",
    ],
)
def test_real_phones_browsers_and_apps(agent: str) -> None:
    assert bot_of_agent(agent) == ""


def event(vendor: str = "segment", **context: Any) -> Event:
    return Event("m", "track", "E", 1, None, "d", None, context.pop("properties", {}), context, None, vendor)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (event(userAgent=CHROME), ""),
        (event(userAgent="curl/8"), "script"),
        (event(bot=True), "declared"),
        (event(bot=1), "declared"),
        (event(bot="false"), ""),
        (event(bot={"a": 1}), ""),
        (event(webdriver=True), "headless"),
        (event(webdriver=False), ""),
        (event(userAgentData={"brands": [{"brand": "HeadlessChrome", "version": "1"}]}), "headless"),
        (event(userAgentData={"brands": [7, {"brand": 7}, {"brand": "Chromium"}]}), ""),
        (event(userAgent=["curl"]), ""),
        (event("snowplow", contexts={"spiders_and_robots": [{"spiderOrRobot": True}]}), "declared"),
        (event("snowplow", br_type="Robot"), "declared"),
        (event("snowplow", br_type="Browser", useragent="Mozilla/5.0 (compatible; bingbot/2.0)"), "crawler"),
        (event("posthog", properties={"$raw_user_agent": "curl/8.4.0"}), "script"),
        (event("mparticle", device_info={"http_header_user_agent": CHROME}), ""),
        (event(agent={"type": "robot"}), ""),
        (event(crawler="true"), "declared"),
    ],
)
def test_what_an_event_says_of_itself(made: Event, why: str) -> None:
    assert BotFinder(["context.crawler"]).of(made) == why


def test_agents_are_remembered_within_bounds() -> None:
    finder = BotFinder()
    for number in range(MAX_CACHED + 10):
        finder.of(event(userAgent=f"a{number}"))
    assert len(finder._seen) <= MAX_CACHED
    assert finder.of(event(userAgent="x" * 100_000 + "bot")) == ""
