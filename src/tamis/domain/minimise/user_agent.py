"""Generalised user agents: browser family, system and device class, e.g. ``chrome windows desktop``.

Rules: the patterns are those of the uap-core list, whose Rust engine takes linear time; the result is made of the words
in this file only, since that list also names applications as their makers spell them, and a rare one could single a
person out. What is not known is ``other``. Versions and models are not kept. Results are remembered.
Not handled here: client hints; finding crawlers that lie.
"""

from functools import lru_cache
from typing import Any

MAX_CHARS = 1_024
_CACHED = 8_192
_OTHER = "other"

# What families begin with in the list (the longest that fits counts), and our word for them.
_FAMILIES = {
    "Chrome": "chrome", "Chromium": "chrome", "HeadlessChrome": "chrome", "Safari": "safari", "Mobile Safari": "safari",
    "Edge": "edge", "Firefox": "firefox", "Opera": "opera", "Samsung Internet": "samsung", "IE": "explorer",
    "Facebook": "facebook", "Instagram": "instagram", "Pinterest": "pinterest", "Twitter": "twitter",
    "LinkedIn": "linkedin", "Snapchat": "snapchat", "TikTok": "tiktok", "BytedanceWebview": "tiktok",
    "WhatsApp": "whatsapp", "WeChat": "wechat", "Line": "line", "Google": "google", "GSA": "google",
    "UC Browser": "uc", "Yandex Browser": "yandex", "YandexSearch": "yandex", "DuckDuckGo": "duckduckgo",
    "Brave": "brave", "Vivaldi": "vivaldi", "QQ Browser": "qq", "MiuiBrowser": "miui", "HuaweiBrowser": "huawei",
    "Huawei Browser": "huawei", "Amazon Silk": "silk", "Android": "android", "Whale": "whale", "Sogou": "sogou",
    "Maxthon": "maxthon", "Coc Coc": "coccoc", "Ecosia": "ecosia", "Apple Mail": "mail", "Outlook": "outlook",
    "Thunderbird": "thunderbird", "Electron": "electron",
}  # fmt: skip
_BOT_FAMILIES = frozenset(("Googlebot", "GoogleOther", "Google-InspectionTool"))
_SYSTEMS = {
    "iOS": "ios", "iPadOS": "ios", "Android": "android", "Windows Phone": "windowsphone", "Windows": "windows",
    "Mac OS X": "macos", "Mac OS": "macos", "Chrome OS": "chromeos", "Linux": "linux", "Ubuntu": "linux",
    "Debian": "linux", "Fedora": "linux", "Red Hat": "linux", "SUSE": "linux", "CentOS": "linux", "Arch Linux": "linux",
    "Linux Mint": "linux", "FreeBSD": "bsd", "OpenBSD": "bsd", "NetBSD": "bsd", "tvOS": "tvos", "ATV OS X": "tvos",
    "watchOS": "watchos", "WatchOS": "watchos", "Tizen": "tizen", "webOS": "webos", "HarmonyOS": "harmony",
    "KaiOS": "kaios", "BlackBerry OS": "blackberry",
}  # fmt: skip
_MARKS = (("cros ", "chromeos"), ("android", "android"), ("linux", "linux"), ("windows", "windows"))
_LONGEST = 3  # words of a family that are looked up

_BOTS = ("bot", "crawl", "spider", "slurp", "headless", "lighthouse", "curl/", "wget/", "python-")
_TELEVISIONS = ("smart-tv", "smarttv", "appletv", "apple tv", "googletv", "android tv", "bravia", "roku", "crkey",
                "aftb", "aftm", "afts", "aftt", "hbbtv", "web0s", "netcast")  # fmt: skip
_CONSOLES = ("playstation", "xbox", "nintendo")


def agent_class(value: Any) -> str | None:
    """Family, system and class of a user agent string."""
    if type(value) is not str or not value:
        return None
    return _classify(value[:MAX_CHARS])


@lru_cache(maxsize=_CACHED)
def _classify(text: str) -> str:
    from ua_parser import parse  # noqa: PLC0415 - 40 MB of patterns, for those whose lists ask for it

    found = parse(text.encode("utf-8", "replace").decode())
    family = _word(_FAMILIES, found.user_agent.family) if found.user_agent else _OTHER
    system = _word(_SYSTEMS, found.os.family) if found.os else _OTHER
    if system == _OTHER:
        low = text.lower()
        system = next((word for mark, word in _MARKS if mark in low), _OTHER)
    crawler = bool(found.device and found.device.family == "Spider")
    if crawler or (found.user_agent is not None and found.user_agent.family in _BOT_FAMILIES):
        family = _OTHER
    return f"{family} {system} {'bot' if crawler else _device(text.lower(), system)}"


def _word(words: dict[str, str], family: str) -> str:
    parts = family.split(" ", _LONGEST)[:_LONGEST]
    for size in range(len(parts), 0, -1):
        word = words.get(" ".join(parts[:size]))
        if word:
            return word
    return _OTHER


def _device(low: str, system: str) -> str:
    if any(mark in low for mark in _BOTS):
        return "bot"
    if system == "tvos" or any(mark in low for mark in _TELEVISIONS):
        return "tv"
    if any(mark in low for mark in _CONSOLES):
        return "console"
    if system == "watchos":
        return "watch"
    if "ipad" in low or "tablet" in low or (system == "android" and "mobile" not in low and "opera mini" not in low):
        return "tablet"
    if "mobile" in low or "opera mini" in low or system in ("ios", "windowsphone"):
        return "mobile"
    return _OTHER if system == _OTHER else "desktop"
