"""Generalised user agents: browser family, system and device class, e.g. ``chrome windows desktop``.

Rules: the result is made of the words in this file only, so no rare string can single a person out; what is not known
is ``other``. Versions and models are not kept. Not handled here: client hints; finding crawlers that lie.
"""

from functools import lru_cache
from typing import Any

MAX_CHARS = 1_024

# First hit wins: browsers name the engines they derive from.
_BOTS = ("bot", "crawl", "spider", "slurp", "headless", "lighthouse", "curl/", "wget/", "python-")
_FAMILIES = (
    ("edg/", "edge"), ("edga/", "edge"), ("edgios/", "edge"), ("opr/", "opera"), ("opera", "opera"),
    ("samsungbrowser/", "samsung"), ("firefox/", "firefox"), ("fxios/", "firefox"), ("crios/", "chrome"),
    ("chrome/", "chrome"), ("chromium/", "chrome"), ("safari/", "safari"), ("trident/", "explorer"),
    ("msie", "explorer"),
)  # fmt: skip
_SYSTEMS = (
    ("iphone", "ios"), ("ipad", "ios"), ("ipod", "ios"), ("android", "android"), ("windows", "windows"),
    ("mac os x", "macos"), ("macintosh", "macos"), ("cros ", "chromeos"), ("linux", "linux"),
)  # fmt: skip
_OTHER = "other"


def agent_class(value: Any) -> str | None:
    """Family, system and class of a user agent string."""
    if type(value) is not str or not value:
        return None
    return _classify(value[:MAX_CHARS])


@lru_cache(maxsize=4096)
def _classify(text: str) -> str:
    low = text.lower()
    family = next((name for mark, name in _FAMILIES if mark in low), _OTHER)
    system = next((name for mark, name in _SYSTEMS if mark in low), _OTHER)
    return f"{family} {system} {_device(low, system)}"


def _device(low: str, system: str) -> str:
    if any(mark in low for mark in _BOTS):
        return "bot"
    if "ipad" in low or "tablet" in low or (system == "android" and "mobile" not in low):
        return "tablet"
    if "mobile" in low or system == "ios":
        return "mobile"
    return _OTHER if system == _OTHER else "desktop"
