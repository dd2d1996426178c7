"""Who sent a record that cannot be used, as far as its bytes tell.

Rules: the bytes are read once a record; a body that is no JSON is searched for the text of an SDK's name. What is found
passes through ``domain.producer`` and ``domain.sites``, so nothing a sender chose gets on.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from tamis.domain.producer import producer_in
from tamis.domain.quarantine import Origin
from tamis.domain.sites import site_of_address

_LISTS = ("batch", "events", "data")
_INSIDE = ("context", "properties", "data", "application_info")
_NOTHING = "-"
_SDK = re.compile(rb'"(?:library|\$lib|mp_lib|tv)"\s{0,4}:\s{0,4}("[^"\\]{1,80}"|\{[^{}]{1,300}\})')
_read = msgspec.json.Decoder().decode


class RawProducer:
    """Looks into one record.

    Args:
        value: its bytes.
    """

    __slots__ = ("_body",)

    def __init__(self, value: bytes) -> None:
        self._body = _parsed(value)
        if self._body is None:
            found = _SDK.search(value)
            self._body = None if found is None else {"library": _parsed(found[1])}

    def origin(self, index: int, sites: Mapping[str, str], known: Collection[str]) -> Origin:
        """Where the ``index``-th event of the record comes from.

        Args:
            index: event within the record.
            sites: host name -> site label.
            known: further names of SDKs, lower case.
        """
        holders = _holders(self._body, index)
        pages = (each["page"] for each in holders if isinstance(each.get("page"), Mapping))
        site = next((site_of_address(page["url"], sites) for page in pages if "url" in page), _NOTHING)
        return Origin(producer_in(holders, known), site)


def _holders(body: Any, index: int) -> list[Mapping[str, Any]]:
    """The objects in which the event may say who made it, nearest first."""
    items: list[Any] = [body]
    if isinstance(body, list):
        items = body[index : index + 1]
    elif isinstance(body, Mapping):
        lists = (body.get(key) for key in _LISTS)
        items = [each[index] for each in lists if isinstance(each, list) and index < len(each)] + [body]
    found = []
    for item in items:
        if isinstance(item, Mapping):
            found += [item.get(key) for key in _INSIDE] + [item]
    return [each for each in found if isinstance(each, Mapping)]


def _parsed(value: bytes) -> Any:
    try:
        return _read(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
