"""Matomo: the Tracking HTTP API as a form, in the query of a GET, or in bulk (``requests``).

Sources: Matomo "Tracking HTTP API" reference. ``rec=1`` and ``idsite`` make a request a hit. ``uid`` is the person,
``cid`` or ``_id`` the device. ``cdt`` is when it happened: seconds since the epoch, or text without a zone, which is
UTC; without it the time of receipt counts. There is no time of sending, so no skew is corrected, and no id of an event,
so one is derived. A hit with an event action (``e_a``) is a track of that name, a goal, an order, a search, a download,
an outlink and a content interaction are tracks of their own names, ``ping`` is sent by the client by itself, and all
else is a page named by ``action_name``. Values stay text, as sent. ``consent`` and the like are not part of the API.
"""

from typing import Any, Final

from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body, Pairs, address, pairs
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.vendor import each, unreadable

VENDOR: Final = "matomo"
_TAKEN: Final = frozenset(
    ("idsite", "rec", "uid", "cid", "_id", "cdt", "url", "urlref", "token_auth", "rand", "apiv", "cip", "send_image",
     "h", "m", "s", "ua", "uadata", "lang", "res", "cookie", "_idts", "_idvc", "_viewts", "_idn", "_refts", "_ref",
     "queuedtracking", "bots", "new_visit", "pv_id", "cs", "country", "region", "city", "lat", "long")
)  # fmt: skip
# Told by the first of these that is there: field -> (name of the event, or None for the field's own text).
_ACTIONS: Final = (
    ("e_a", None),
    ("search", "search"),
    ("download", "download"),
    ("link", "outlink"),
    ("c_i", "content_interaction"),
    ("c_n", "content_impression"),
    ("ec_id", "order"),
)
_EVERY_VISIT_GOAL: Final = "0"


class Matomo:
    """Reads Matomo's requests."""

    __slots__ = ("_bench",)

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def claims(self, body: Body) -> bool:
        """``idsite`` and ``rec``, or a list of ``requests``."""
        if body.is_json:
            return isinstance(body.json, dict) and isinstance(body.json.get("requests"), list)
        return any("idsite" in place and "rec" in place for place in (body.form, body.query))

    def read(self, body: Body) -> Entries:
        """See ``Reader.read``."""
        if body.is_json:
            if not isinstance(body.json, dict) or "requests" not in body.json:
                return refusal.UNKNOWN
            return each(self._bench, body.json["requests"], "$.requests", lambda *item: self._request(body, *item))
        hit = {**body.query, **body.form}
        return [self._event(body, hit, "$", 0)] if hit else unreadable(body)

    def _request(self, body: Body, item: Any, path: str, index: int) -> Entry:
        if isinstance(item, str):
            return self._event(body, pairs(address(item)[1] or item), path, index)
        if isinstance(item, dict):
            return self._event(body, {key: _as_text(value) for key, value in item.items()}, path, index)
        return refusal.refuse(InvalidReason.WRONG_TYPE, path)

    def _event(self, body: Body, hit: Pairs, path: str, index: int) -> Entry:
        if not hit.get("idsite"):
            return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.idsite")
        occurred_at = _occurred_at(hit, path)
        if isinstance(occurred_at, Invalid):
            return occurred_at
        kind, name = _kind_and_name(hit)
        draft = Draft(
            vendor=VENDOR,
            kind=kind,
            name=name,
            occurred_at=occurred_at,
            device=hit.get("cid") or hit.get("_id") or None,
            person=hit.get("uid") or None,
            properties={key: value for key, value in hit.items() if key not in _TAKEN},
            context=page(hit.get("url"), hit.get("urlref"), hit.get("action_name"))
            | present(site_id=hit.get("idsite"), pageview_id=hit.get("pv_id")),
            name_path=f"{path}.e_a",
            id_path=f"{path}._id",
        )
        return finish(self._bench, draft, body.received_at, index)


def _kind_and_name(hit: Pairs) -> tuple[Kind, str | None]:
    if hit.get("ping") == "1":
        return Kind.AUTO, "ping"
    for field, name in _ACTIONS:
        if hit.get(field):
            return Kind.TRACK, name or hit[field]
    goal = hit.get("idgoal")
    if goal:
        return Kind.TRACK, "cart_update" if goal == _EVERY_VISIT_GOAL else "goal"
    return Kind.PAGE, hit.get("action_name") or None


def _occurred_at(hit: Pairs, path: str) -> int | Invalid | None:
    text = hit.get("cdt")
    if not text:
        return None
    found = stamp.digits(text, stamp.SECOND)
    found = stamp.utc_text(text) if found is None else found
    return refusal.refuse(InvalidReason.BAD_TIME, f"{path}.cdt") if found is None else found


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else "" if value is None else str(value)
