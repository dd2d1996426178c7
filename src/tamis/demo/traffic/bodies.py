"""What the sites' clients put on the wire: Segment bodies for the shop, RudderStack bodies for the law firm.

Rules: the shape is that of the vendors' own clients (tests/vectors/payloads); a browser sends one call a body, the
shop's server sends batches; where consent travels inside the event it says what the visitor chose, in the words of the
site's consent tool, which the policy maps to purposes.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.sessions import Step
from tamis.demo.traffic.sites import Campaign, Site
from tamis.demo.traffic.visitors import Choice, Visitor

SEGMENT = "segment"
SEGMENT_WORDS = {"functional": "Functional", "analytics": "Analytics", "marketing": "Advertising"}
RUDDERSTACK_WORDS = {"functional": "C0003", "analytics": "C0002", "marketing": "C0004"}
_REFERRERS = ("https://search.example.com/", "https://social.example.com/post/7", "")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What all calls of one visit share.

    Attributes:
        site: where.
        visitor: who.
        campaign: how they came.
        session: the client's own session number.
        inline: consent that events of the visit carry, None for none; "all" is a signal nobody can read.
    """

    site: Site
    visitor: Visitor
    campaign: Campaign
    session: int
    inline: Choice | str | None


def rfc3339(at_ms: int) -> str:
    """Time as browsers write it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def call(dice: Dice, visit: Visit, step: Step, at_ms: int, sent_ms: int) -> dict[str, Any]:
    """One call of a browser, as an object."""
    common: dict[str, Any] = {"type": "track" if step.event else "page"}
    if step.event:
        common |= {"event": step.event, "properties": step.properties}
    else:
        page = {"path": step.page.path, "title": step.page.title, "url": _url(visit, step)}
        common |= {"name": step.page.title, "properties": page}
    return _dress(dice, visit, common, step, at_ms, sent_ms)


def identify(dice: Dice, visit: Visit, step: Step, at_ms: int, sent_ms: int) -> dict[str, Any]:
    """The call that names the person of the device."""
    traits = {"plan": step.properties.get("plan", "free"), "email": f"{visit.visitor.device[:8]}@example.test"}
    return _dress(dice, visit, {"type": "identify", "traits": traits}, step, at_ms, sent_ms)


def segment_consent(dice: Dice, visit: Visit, at_ms: int, choice: Choice) -> bytes:
    """Segment's consent event, as its wrapper sends it when the visitor chooses."""
    home = Step(after_ms=0, page=visit.site.pages[0], event="", rule="", properties={})
    body = _dress(
        dice,
        visit,
        {"type": "track", "event": "Segment Consent Preference Updated", "properties": {}},
        home,
        at_ms,
        at_ms,
    )
    body["context"] |= inline_consent(SEGMENT, choice)
    return orjson.dumps(body)


def batch(calls: list[dict[str, Any]], sent_ms: int) -> bytes:
    """Calls in one body, as server clients send them."""
    items = [{key: value for key, value in item.items() if key != "sentAt"} for item in calls]
    return orjson.dumps({"batch": items, "sentAt": rfc3339(sent_ms), "writeKey": "wk_demo"})


def _dress(dice: Dice, visit: Visit, body: dict[str, Any], step: Step, at_ms: int, sent_ms: int) -> dict[str, Any]:
    body["messageId"] = dice.uuid()
    body["anonymousId"] = visit.visitor.device
    body["context"] = _context(visit, step)
    body["sentAt"] = rfc3339(sent_ms)
    if visit.site.vendor == SEGMENT:
        body |= {"timestamp": rfc3339(at_ms), "userId": visit.visitor.person, "integrations": {"Segment.io": True}}
    else:
        body |= {"originalTimestamp": rfc3339(at_ms), "userId": visit.visitor.person or "", "channel": "web"}
    return body


def _context(visit: Visit, step: Step) -> dict[str, Any]:
    visitor = visit.visitor
    context: dict[str, Any] = {
        "ip": visitor.network,
        "userAgent": visitor.browser,
        "locale": visitor.locale,
        "page": {
            "path": step.page.path,
            "title": step.page.title,
            "url": _url(visit, step),
            "referrer": _REFERRERS[visit.session % len(_REFERRERS)],
        },
        "library": _library(visit.site.vendor),
    }
    if visit.campaign.source:
        context["campaign"] = {
            "source": visit.campaign.source, "medium": visit.campaign.medium, "name": visit.campaign.name,
        }  # fmt: skip
    if visit.site.vendor != SEGMENT:
        context["sessionId"] = visit.session
    if visit.inline is not None:
        context |= inline_consent(visit.site.vendor, visit.inline)
    return context


def inline_consent(vendor: str, choice: Choice | str) -> dict[str, Any]:
    """The part of ``context`` that states consent."""
    if isinstance(choice, str):
        return {"consent": {"categoryPreferences": choice}}
    if vendor == SEGMENT:
        return {"consent": {"categoryPreferences": {SEGMENT_WORDS[purpose]: yes for purpose, yes in choice.items()}}}
    allowed = [RUDDERSTACK_WORDS[purpose] for purpose, yes in choice.items() if yes]
    denied = [RUDDERSTACK_WORDS[purpose] for purpose, yes in choice.items() if not yes]
    signal = {
        "allowedConsentIds": allowed,
        "deniedConsentIds": denied,
        "provider": "oneTrust",
        "resolutionStrategy": "and",
    }
    return {"consentManagement": signal}


def _library(vendor: str) -> dict[str, str]:
    if vendor == SEGMENT:
        return {"name": "analytics.js", "version": "npm:next-1.84.3"}
    return {"name": "RudderLabs JavaScript SDK", "version": "3.34.1"}


def _url(visit: Visit, step: Step) -> str:
    campaign = visit.campaign
    query = f"?utm_source={campaign.source}&utm_medium={campaign.medium}&utm_campaign={campaign.name}"
    return f"https://{visit.site.host}{step.page.path}{query if campaign.source else ''}"
