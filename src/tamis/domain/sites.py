"""Which site an event belongs to: a label from the policy, never text a sender chose.

Rules: the host of ``context.page.url`` is looked up in the policy; a host that is not listed, and an event without a
page, is "other".
"""

from collections.abc import Mapping
from typing import Any

from tamis.domain.event import Event

OTHER = "other"
_HOST = 2  # where "scheme://host/path" has the host when it is split at "/"


def site_of(event: Event, sites: Mapping[str, str]) -> str:
    """The site's label."""
    page = event.context.get("page")
    return site_of_address(page.get("url") if type(page) is dict else None, sites)


def site_of_address(url: Any, sites: Mapping[str, str]) -> str:
    """The label of the site a page's address is on."""
    if type(url) is not str:
        return OTHER
    parts = url.split("/", 3)
    if len(parts) > _HOST and not parts[1] and parts[0].endswith(":"):  # nearly every address, and a listed host
        site = sites.get(parts[_HOST])
        if site is not None:
            return site
    host = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return sites.get(host) or sites.get(host.rpartition("@")[2].partition(":")[0].lower(), OTHER)
