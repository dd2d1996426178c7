"""Through which channel a visitor came, as far as one event tells: a closed vocabulary.

Rules: what the event says of its campaign (``context.campaign``, else ``utm_`` parameters of the page) is grouped by
medium and source as Google Analytics' default channel group does it; a click id without a campaign is an advertisement;
without either the referring page decides: a search engine, a social network, another site, or the site itself. Nothing
a sender wrote is ever a result.
Source: "Default channel group", Google Analytics help, answer 9756891.
Not handled here: the channel of the session or of the person; shops, cross-network campaigns.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from tamis.domain.event import Event

NO_CHANNEL = "-"
INTERNAL, DIRECT, REFERRAL, UNASSIGNED = "internal", "direct", "referral", "unassigned"
SEARCH, PAID_SEARCH, SOCIAL, PAID_SOCIAL = "search", "paid_search", "social", "paid_social"
VIDEO, PAID_VIDEO, PAID_OTHER, DISPLAY = "video", "paid_video", "paid_other", "display"
EMAIL, AFFILIATES, AUDIO, SMS, PUSH = "email", "affiliates", "audio", "sms", "push"
CHANNELS = (
    NO_CHANNEL, INTERNAL, DIRECT, REFERRAL, UNASSIGNED, SEARCH, PAID_SEARCH, SOCIAL, PAID_SOCIAL, VIDEO, PAID_VIDEO,
    PAID_OTHER, DISPLAY, EMAIL, AFFILIATES, AUDIO, SMS, PUSH,
)  # fmt: skip

_MAX_CHARS = 256
_MAX_PAIRS, _MAX_HOSTS = 4_096, 4_096
_MAX_PARAMETERS = 64
_HOST = 2  # where "scheme://host/path" has the host when it is split at "/"

_SEARCH_SITES = frozenset(
    ("google", "bing", "duckduckgo", "ecosia", "baidu", "yandex", "yahoo", "qwant", "startpage", "naver", "ask",
     "seznam", "brave", "sogou", "aol")
)  # fmt: skip
_SOCIAL_SITES = frozenset(
    ("facebook", "instagram", "linkedin", "twitter", "x", "t", "pinterest", "reddit", "tiktok", "snapchat", "threads",
     "mastodon", "bsky", "xing", "lnkd", "fb", "ig", "meta", "whatsapp", "telegram", "quora", "tumblr", "vk")
)  # fmt: skip
_SHORT_HOSTS = frozenset(("t", "x"))  # social networks only as t.co and x.com
_VIDEO_SITES = frozenset(("youtube", "vimeo", "twitch", "dailymotion"))
_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
_MEDIA: tuple[tuple[Callable[[str], object], str], ...] = (
    (frozenset(("display", "banner", "expandable", "interstitial", "cpm")).__contains__, DISPLAY),
    (_PAID.fullmatch, PAID_OTHER),
    (frozenset(("social", "social-network", "social network", "social-media", "social media", "sm")).__contains__,
     SOCIAL),
    (re.compile(r".*video.*").fullmatch, VIDEO),
    (frozenset(("organic",)).__contains__, SEARCH),
    (frozenset(("referral", "app", "link")).__contains__, REFERRAL),
    (frozenset(("email", "e-mail", "e_mail", "e mail", "newsletter")).__contains__, EMAIL),
    (frozenset(("affiliate", "affiliates")).__contains__, AFFILIATES),
    (frozenset(("audio",)).__contains__, AUDIO),
    (frozenset(("sms",)).__contains__, SMS),
    (re.compile(r".*push|.*mobile.*|.*notification.*").fullmatch, PUSH),
)  # fmt: skip
_PAID_ON = ((_SEARCH_SITES, PAID_SEARCH), (_SOCIAL_SITES, PAID_SOCIAL), (_VIDEO_SITES, PAID_VIDEO))
_FREE_ON = ((_SEARCH_SITES, SEARCH), (_SOCIAL_SITES, SOCIAL), (_VIDEO_SITES, VIDEO))
_CLICK_IDS = ("gclid=", "gbraid=", "wbraid=", "msclkid=")

_pairs: dict[tuple[str, str], str] = {}
_hosts: dict[str, str] = {}


def channel_of(event: Event) -> str:
    """The channel, out of ``CHANNELS``; ``NO_CHANNEL`` for an event that names neither campaign nor page."""
    context = event.context
    campaign = context.get("campaign")
    if type(campaign) is dict and campaign:
        medium, source = campaign.get("medium"), campaign.get("source")
        if type(medium) is str and type(source) is str:
            return _pairs.get((medium, source)) or _of_pair((medium, source))
        if type(medium) is str or type(source) is str:
            return _of_pair((medium if type(medium) is str else "", source if type(source) is str else ""))
    page = context.get("page")
    if type(page) is not dict:
        return NO_CHANNEL
    url, referrer = page.get("url"), page.get("referrer")
    if type(url) is str:
        if "utm_" in url or "id=" in url:
            found = _of_query(url.partition("?")[2])
            if found is not None:
                return found
        if type(referrer) is str and referrer:
            return _of_referrer(referrer, url)
    return DIRECT


def channel_of_campaign(medium: str, source: str) -> str:
    """The channel of a campaign, whatever the case of its words; "" stands for a word that is not given."""
    medium, source = medium[:_MAX_CHARS].strip().lower(), source[:_MAX_CHARS].strip().lower()
    names = _names(source)
    if medium in ("", "(none)", "(not set)") and source in ("", "(direct)", "direct"):
        return DIRECT
    if _PAID.fullmatch(medium) and medium != "cpm":
        return next((found for sites, found in _PAID_ON if names & sites), PAID_OTHER)
    by_source = next((found for sites, found in _FREE_ON if names & sites), None)
    if by_source is not None and medium not in ("email", "display", "banner"):
        return by_source
    by_medium = next((found for test, found in _MEDIA if test(medium)), None)
    if by_medium is not None:
        return by_medium
    words = {"email": EMAIL, "e-mail": EMAIL, "newsletter": EMAIL, "sms": SMS, "firebase": PUSH}
    return words.get(source, UNASSIGNED)


def _of_pair(pair: tuple[str, str]) -> str:
    known = _pairs.get(pair)
    if known is not None:
        return known
    if len(_pairs) >= _MAX_PAIRS:
        _pairs.clear()
    if max(map(len, pair)) > _MAX_CHARS:
        return channel_of_campaign(*pair)
    found = _pairs[pair] = channel_of_campaign(*pair)
    return found


def _of_query(query: str) -> str | None:
    query = query.partition("#")[0]
    try:
        words = dict(reversed(parse_qsl(query, max_num_fields=_MAX_PARAMETERS)))
    except ValueError:
        return None
    medium, source = words.get("utm_medium", ""), words.get("utm_source", "")
    if medium or source:
        return _of_pair((medium, source))
    return PAID_SEARCH if any(f"&{query}".find(f"&{mark}") >= 0 for mark in _CLICK_IDS) else None


def _of_referrer(referrer: str, url: str) -> str:
    host = _host(referrer)
    if not host:
        return DIRECT
    if host == _host(url):
        return INTERNAL
    found = _hosts.get(host)
    if found is None:
        if len(_hosts) >= _MAX_HOSTS:
            _hosts.clear()
        found = _hosts[host] = _of_host(host[:_MAX_CHARS].lower().rpartition("@")[2].partition(":")[0])
    return found


def _of_host(host: str) -> str:
    names = _names(host)
    return next((found for sites, found in _FREE_ON if names & sites), REFERRAL)


def _host(url: str) -> str:
    parts = url.split("/", 3)
    return parts[_HOST] if len(parts) > _HOST and not parts[1] else ""


def _names(host: str) -> frozenset[str]:
    """What a host or a source may be known by: the whole, and the labels of a host; a single letter only as a site."""
    labels: Iterable[Any] = host.split(".")
    found = frozenset(labels) - _SHORT_HOSTS
    short = {"t.co": "t", "x.com": "x"}.get(host.removeprefix("www."))
    return found | {short} if short else found
