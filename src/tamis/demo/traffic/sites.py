"""The two sites: pages, micro-conversions with their chances, campaigns and audiences.

Rules: event names and paths are those the rules of ``config/reference`` look for (a test holds them together); chances
are per session, those with a ``page`` only in sessions that saw it, so funnels narrow as real ones do. All names,
addresses and prices are invented.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.plan import evening_shop, office_hours

Properties = Callable[[Dice], dict[str, Any]]


class Page(msgspec.Struct, frozen=True):
    """A page and how often it is the one looked at."""

    path: str
    title: str
    weight: float


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A micro-conversion.

    Attributes:
        rule: id of the rule that must tag it.
        event: the name the site sends.
        chance: per session that can have it.
        page: the session must have seen this path, "" for any.
        properties: makes the event's properties.
    """

    rule: str
    event: str
    chance: float
    properties: Properties
    page: str = ""


class Campaign(msgspec.Struct, frozen=True):
    """Where a visit came from (utm_source, utm_medium, utm_campaign)."""

    source: str
    medium: str
    name: str
    weight: float


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One site.

    Attributes:
        host: in addresses; the policy maps it to a label.
        vendor: whose client its pages use, "segment" or "rudderstack".
        sessions_per_minute: at the peak of the day.
        shape: share of the peak in an epoch minute.
        audience: how many returning visitors there are.
        locales: ``(locale, weight)``.
        clicks: names of events no rule knows, with the mean number per page.
    """

    host: str
    vendor: str
    sessions_per_minute: float
    shape: Callable[[int], float]
    audience: int
    pages: tuple[Page, ...]
    conversions: tuple[Conversion, ...]
    campaigns: tuple[Campaign, ...]
    locales: tuple[tuple[str, float], ...]
    clicks: tuple[str, ...]
    clicks_per_page: float


_PRODUCTS = (
    ("lamp", "A-1042", 49.9),
    ("armchair", "A-2210", 389.0),
    ("kettle", "B-0771", 34.5),
    ("rug", "C-3306", 149.0),
)
_GUIDES = ("buying-guide-lighting.pdf", "care-instructions.pdf", "winter-catalogue.pdf")
_PAPERS = (
    "data-transfer-checklist.pdf",
    "employment-law-update.pdf",
    "incorporation-guide.pdf",
    "gdpr-fines-review.pdf",
)
_AREAS = ("employment", "data_protection", "company", "tax", "real_estate")
_DOCUMENTS = ("contract", "opinion", "engagement_letter", "filing")


def _product(dice: Dice) -> dict[str, Any]:
    category, sku, price = dice.choice(_PRODUCTS)
    return {"sku": sku, "category": category, "price": price, "currency": "EUR"}


def _signup(dice: Dice) -> dict[str, Any]:
    return {"list": dice.choice(("weekly", "offers")), "placement": dice.choice(("footer", "popup", "checkout"))}


def _video(dice: Dice) -> dict[str, Any]:
    return {
        "video": dice.choice(("assembly", "showroom")),
        "percent": dice.choice((75, 80, 90, 100)),
        "category": "video",
    }


def _shop_quote(dice: Dice) -> dict[str, Any]:
    return {"estimate": dice.randrange(200, 4_000), "plan": dice.choice(("furnish", "office")), "category": "quote"}


def _law_quote(dice: Dice) -> dict[str, Any]:
    return {"estimate": dice.randrange(800, 20_000), "practice_area": dice.choice(_AREAS), "form": "quote"}


def _account(dice: Dice) -> dict[str, Any]:
    return {"plan": dice.choice(("free", "plus", "pro"))}


def _guide(dice: Dice) -> dict[str, Any]:
    return {"file": dice.choice(_GUIDES), "extension": "pdf"}


def _paper(dice: Dice) -> dict[str, Any]:
    return {"file": dice.choice(_PAPERS), "extension": "pdf", "practice_area": dice.choice(_AREAS)}


def _document(dice: Dice) -> dict[str, Any]:
    kind, area = dice.choice(_DOCUMENTS), dice.choice(_AREAS)
    return {"document_type": kind, "practice_area": area, "status": "final", "pages": dice.randrange(2, 40)}


def _form(dice: Dice) -> dict[str, Any]:
    return {"form": dice.choice(("kyc", "conflict_check", "data_processing")), "practice_area": dice.choice(_AREAS)}


SHOP = Site(
    host="shop.example.test",
    vendor="segment",
    sessions_per_minute=72.0,
    shape=evening_shop,
    audience=3_200,
    pages=(
        Page("/", "Home", 3.0), Page("/products", "All products", 4.0), Page("/products/lamps", "Lamps", 3.0),
        Page("/products/chairs", "Chairs", 2.5), Page("/pricing", "Delivery and prices", 1.4),
        Page("/cart", "Cart", 1.2),
        Page("/stories/assembly", "How it is made", 1.0),
    ),
    conversions=(
        Conversion(rule="newsletter_signup", event="Newsletter Signed Up", chance=0.19, properties=_signup),
        Conversion(rule="wishlist_add", event="Product Added to Wishlist", chance=0.15, properties=_product),
        Conversion(rule="video_75", event="Video Progress", chance=0.09, properties=_video),
        Conversion(rule="pdf_download", event="PDF Downloaded", chance=0.06, properties=_guide),
        Conversion(rule="quote_started", event="Quote Started", chance=0.3, page="/pricing", properties=_shop_quote),
        Conversion(rule="account_created", event="Account Created", chance=0.06, properties=_account),
    ),
    campaigns=(
        Campaign("", "", "", 5.0), Campaign("newsletter", "email", "winter-lights", 2.0),
        Campaign("search.example.com", "cpc", "lamps-brand", 2.0),
        Campaign("social.example.com", "paid-social", "living-room", 1.5),
    ),
    locales=(("fr-FR", 4.0), ("de-DE", 2.0), ("en-GB", 2.0), ("it-IT", 1.0)),
    clicks=("Button Clicked", "Scroll Depth", "Search Performed", "Filter Applied"),
    clicks_per_page=0.42,
)  # fmt: skip

_READ = Conversion(
    rule="document_reviewed", event="Document Reviewed", chance=0.45, page="/client/documents", properties=_document
)

LAW = Site(
    host="law.example.test",
    vendor="rudderstack",
    sessions_per_minute=46.0,
    shape=office_hours,
    audience=1_400,
    pages=(
        Page("/", "Home", 2.0), Page("/expertise/employment", "Employment law", 2.0),
        Page("/expertise/data", "Data protection", 2.5),
        Page("/people", "Our lawyers", 2.0), Page("/insights", "Insights", 2.0), Page("/pricing", "Fees", 1.0),
        Page("/client/documents", "Client area", 1.5),
    ),
    conversions=(
        Conversion(rule="pdf_download", event="PDF Downloaded", chance=0.19, properties=_paper),
        _READ,
        Conversion(rule="compliance_form_begun", event="Compliance Form Begun", chance=0.14, properties=_form),
        Conversion(rule="newsletter_signup", event="Newsletter Signed Up", chance=0.08, properties=_signup),
        Conversion(rule="quote_started", event="Quote Started", chance=0.35, page="/pricing", properties=_law_quote),
        Conversion(rule="account_created", event="Account Created", chance=0.05, properties=_account),
    ),
    campaigns=(
        Campaign("", "", "", 6.0), Campaign("briefing", "email", "november-briefing", 2.0),
        Campaign("search.example.com", "cpc", "data-protection-officer", 1.0),
        Campaign("network.example.com", "social", "webinar-ai-act", 1.0),
    ),
    locales=(("fr-FR", 5.0), ("en-GB", 3.0), ("de-CH", 1.0)),
    clicks=("Button Clicked", "Scroll Depth", "Lawyer Contacted"),
    clicks_per_page=0.3,
)  # fmt: skip

SITES = (SHOP, LAW)
