"""Whether software rather than a person made an event, and how that shows.

Rules: a user agent is a crawler's by a known name, or by a word that ends in bot, crawler or spider; headless by the
marks browsers and DOM libraries leave; a script's when it is an HTTP client's. Names that only sound like it (phones,
browsers, apps) are taken out first. Where an event says of itself that it is a bot's, it is: the standard places of its
vendor, ``navigator.webdriver``, and what the policy lists. A user agent is looked at once and remembered; the patterns
are RE2, so no text takes more than linear time. What an event does not say is not guessed from its behaviour.
Sources: the operators' own pages on their crawlers (Google, Bing, Apple, Meta and others); WebDriver
(W3C) section 4 for ``navigator.webdriver``; Snowplow IAB and YAUAA enrichments.
Not handled here: crawlers that lie; what follows (``Policy.bots``).
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

import re2

from tamis.domain.event import Event
from tamis.domain.paths import Getter, getter, required_path


class Bot(StrEnum):
    """Why an event counts as a bot's."""

    CRAWLER = "crawler"
    HEADLESS = "headless"
    SCRIPT = "script"
    DECLARED = "declared"


class BotAction(StrEnum):
    """What the policy does with it: let it through with the flag, or deny it."""

    MARK = "mark"
    DENY = "deny"


HUMAN = ""
MAX_CACHED = 8_192
MAX_CHARS = 1_024

# Real devices, browsers and apps whose names hold a word of the patterns below; first of all the model of a phone.
_NOT_BOTS = (
    r"android [\d.]+;(?: [a-z]{2}[-_][a-z]{2};)? [^;()]*|\bcubot\b|cubot[_ ]|sogoumobilebrowser|sogou ?search|"
    r"yandexsearch|yabrowser|\[pinterest/|pinterest for|linkedinapp|duckduckgo/\d+"
)
_CRAWLER = (
    r"googlebot|adsbot|mediapartners|apis-google|google-inspectiontool|storebot-google|googleother|google-extended|"
    r"feedfetcher|google-read-aloud|google web preview|googleproducer|google-site-verification|duplexweb-google|"
    r"google-cloudvertexbot|google favicon|bingbot|bingpreview|adidxbot|msnbot|microsoftpreview|yahoo! slurp|\bslurp\b|"
    r"duckduckbot|duckduckgo-favicons|duckassistbot|baiduspider|yandex(?:bot|images|video|media|blogs|news|"
    r"metrika|direct|market|calendar|favicons|pagechecker|webmaster|ontodb|accessibility|mobilebot|adnet|screenshot)|"
    r"sogou (?:web|pic|news|video|inst) ?spider|sogou spider|360spider|yisouspider|bytespider|toutiaospider|petalbot|"
    r"facebookexternalhit|facebookcatalog|facebot|meta-external(?:agent|fetcher|ads)|meta-webindexer|facebookbot|"
    r"applebot|ia_archiver|archive\.org_bot|heritrix|twitterbot|linkedinbot|pinterestbot|pinterest/0|slackbot|"
    r"slack-imgproxy|telegrambot|^whatsapp/|discordbot|skypeuripreview|viber/\S+ (?:link|bot)|embedly|"
    r"quora link preview|redditbot|flipboardproxy|tumblr/|bitlybot|vkshare|outbrain|w3c_validator|w3c-checklink|"
    r"semrush|ahrefs|siteauditbot|mj12bot|dotbot|rogerbot|screaming frog|seznambot|serpstat|dataforseo|blexbot|"
    r"barkrowler|[a-z]{4,}-user[/;)]|perplexity|amazonbot|amzn-searchbot|diffbot|omgili|img2dataset|youbot|"
    r"timpibot|imagesiftbot|uptimerobot|pingdom|statuscake|site24x7|newrelicpinger|newrelic-synthetics|"
    r"datadogsynthetics|catchpoint|gtmetrix|lighthouse|pagespeed|ptst/|webpagetest|checkly|betteruptime|"
    r"cloudflare-(?:healthchecks|alwaysonline|ssldetector)|elb-healthchecker|kube-probe|googlehc|monitis|"
    r"bot(?:[/;:,)\s\]_-]|$)|crawl(?:er|ing)?(?:[/;:,)\s\]_-]|$)|spider(?:[/;:,)\s\]_-]|$)|\bcrawl\b|"
    r"\+https?://|nutch|daumoa|qwantify|tineye"
)
_HEADLESS = (
    r"headless|phantomjs|slimerjs|casperjs|puppeteer|playwright|selenium|\bwebdriver\b|cypress/|jsdom/|happydom|"
    r"happy-dom|htmlunit|nightmare/|zombie\.js|splash/|prerender|rendertron|browserless|testcafe"
)
_SCRIPT = (
    r"^(?:curl|wget|libcurl|python-requests|python-urllib|python-httpx|python/|aiohttp|httpx|scrapy|go-http-client|"
    r"libwww-perl|lwp|lwp-|perl|ruby|faraday|rest-client|mechanize|java/|apache-httpclient|jakarta|"
    r"postmanruntime|insomnia|httpie|xh/|guzzlehttp|php/|php-curl|symfony|node-fetch|node(?:\.js)?(?:/|$)|axios|undici|"
    r"got |superagent|bun/|deno/|colly|reqwest|hyper/|ureq|winhttp|apachebench|siege|hey/|k6/|jmeter|gatling|locust|"
    r"vegeta|artillery)|windowspowershell"
)
_DECLARED_BY: Mapping[str, tuple[str, ...]] = {
    "snowplow": (
        "context.contexts.spiders_and_robots.0.spiderOrRobot",
        "context.contexts.yauaa_context.0.deviceClass",
        "context.br_type",
    ),
}
_AGENT_OF: Mapping[str, tuple[str, ...]] = {
    "snowplow": ("context.useragent",),
    "posthog": ("properties.$raw_user_agent", "context.properties.$raw_user_agent"),
    "mparticle": ("context.device_info.http_header_user_agent",),
    "matomo": ("properties.ua",),
}
_YES = (True, 1, "1", "true", "Robot")


def _searcher(pattern: str) -> Callable[[bytes], Any]:
    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, 32 << 20
    return re2.compile(f"(?i){pattern}", options=options).search  # type: ignore[no-any-return]


_is_crawler, _is_headless, _is_script = map(_searcher, (_CRAWLER, _HEADLESS, _SCRIPT))
_not_bots = re2.compile(f"(?i){_NOT_BOTS}")


def bot_of_agent(text: str) -> str:
    """``Bot`` of a user agent string, "" when it is no bot's."""
    agent = _not_bots.sub(b" ", text[:MAX_CHARS].encode("utf-8", "replace"))
    if _is_headless(agent):
        return Bot.HEADLESS.value
    if _is_crawler(agent):
        return Bot.CRAWLER.value
    return Bot.SCRIPT.value if _is_script(agent) else HUMAN


class BotFinder:
    """Finds bots.

    Args:
        declared: paths at which a policy says that events declare it.
    """

    __slots__ = ("_agents", "_declared", "_of_vendor", "_seen")

    def __init__(self, declared: Iterable[str] = ()) -> None:
        self._declared = tuple(_getters(declared))
        self._of_vendor = {vendor: _getters(paths) for vendor, paths in _DECLARED_BY.items()}
        self._agents = {vendor: _getters(paths) for vendor, paths in _AGENT_OF.items()}
        self._seen: dict[Any, str] = {}

    def of(self, event: Event) -> str:
        """``Bot`` of an event, "" when it is no bot's as far as it says."""
        context = event.context
        agent = context.get("userAgent")
        if agent is None and event.vendor in self._agents:
            agent = next((said for get in self._agents[event.vendor] if (said := get(event))), None)
        if type(agent) is str:
            found = self._seen.get(agent)
            if found is None:
                found = self._look(agent)
            if found:
                return found
        if "bot" in context or "webdriver" in context or "userAgentData" in context:
            found = _marks(context)
            if found:
                return found
        if event.vendor in self._of_vendor and any(_says_yes(get(event)) for get in self._of_vendor[event.vendor]):
            return Bot.DECLARED.value
        if self._declared and any(_says_yes(get(event)) for get in self._declared):
            return Bot.DECLARED.value
        return HUMAN

    def _look(self, agent: str) -> str:
        found = bot_of_agent(agent)
        if len(agent) <= MAX_CHARS:
            if len(self._seen) >= MAX_CACHED:
                self._seen.clear()
            self._seen[agent] = found
        return found


def _marks(context: Mapping[str, Any]) -> str:
    if _says_yes(context.get("bot")):
        return Bot.DECLARED.value
    if _says_yes(context.get("webdriver")):
        return Bot.HEADLESS.value
    hints = context.get("userAgentData")
    brands = hints.get("brands") if isinstance(hints, Mapping) else None
    if isinstance(brands, list):
        for each in brands[:10]:
            brand = each.get("brand") if isinstance(each, Mapping) else None
            if isinstance(brand, str) and "headless" in brand.lower():
                return Bot.HEADLESS.value
    return HUMAN


def _says_yes(value: Any) -> bool:
    return type(value) in (bool, int, str) and value in _YES


def _getters(paths: Iterable[str]) -> tuple[Getter, ...]:
    return tuple(getter(required_path(path)) for path in paths)
