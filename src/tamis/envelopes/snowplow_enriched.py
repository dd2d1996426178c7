"""Snowplow enriched events: one line of tab-separated columns, known by their place.

Sources: Snowplow "Canonical event model" and the column order of the enriched TSV (131 columns). Empty text is null,
booleans are 0 and 1, times are UTC without a zone. ``derived_tstamp`` is when it happened, already corrected for clock
skew by Snowplow; without it ``dvce_created_tstamp``, then the time of receipt. ``event_name`` names the event, even
where ``event`` disagrees. ``user_id`` is the person, ``domain_userid`` (else ``network_userid``) the device. The IP
address and the fingerprint are never read.
"""

from typing import Any, Final

from tamis.domain.event import Invalid, Kind
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal, stamp
from tamis.envelopes.body import Body
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.embedded import parse_json
from tamis.envelopes.envelope import Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.reading import Fields
from tamis.envelopes.self_describing import VENDOR, consent_of, described, entities, kind_of

COLUMNS: Final = 131
_PLACES: Final = {
    "app_id": 0, "platform": 1, "collector_tstamp": 3, "dvce_created_tstamp": 4, "event": 5, "event_id": 6,
    "name_tracker": 8, "v_tracker": 9, "user_id": 12, "domain_userid": 15, "domain_sessionidx": 16,
    "network_userid": 17, "geo_country": 18, "geo_region": 19, "page_url": 29, "page_title": 30, "page_referrer": 31,
    "page_urlpath": 35, "mkt_medium": 47, "mkt_source": 48, "mkt_term": 49, "mkt_content": 50, "mkt_campaign": 51,
    "contexts": 52, "se_category": 53, "se_action": 54, "se_label": 55, "se_property": 56, "se_value": 57,
    "unstruct_event": 58, "tr_orderid": 59, "tr_affiliation": 60, "tr_total": 61, "tr_tax": 62, "tr_shipping": 63,
    "tr_city": 64, "tr_state": 65, "tr_country": 66, "ti_orderid": 67, "ti_sku": 68, "ti_name": 69, "ti_category": 70,
    "ti_price": 71, "ti_quantity": 72, "pp_xoffset_min": 73, "pp_xoffset_max": 74, "pp_yoffset_min": 75,
    "pp_yoffset_max": 76, "useragent": 77, "br_type": 81, "br_lang": 83, "os_timezone": 100, "dvce_type": 101,
    "tr_currency": 108, "ti_currency": 112,
    "dvce_sent_tstamp": 119, "derived_contexts": 122, "domain_sessionid": 123, "derived_tstamp": 124,
    "event_vendor": 125, "event_name": 126, "event_format": 127, "event_version": 128, "true_tstamp": 130,
}  # fmt: skip
_CONTEXT: Final = (
    "app_id", "platform", "name_tracker", "v_tracker", "domain_sessionid", "domain_sessionidx", "geo_country",
    "geo_region", "mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "br_lang", "os_timezone",
    "dvce_type", "useragent", "br_type", "collector_tstamp",
)  # fmt: skip
_FAMILIES: Final = {"struct": "se_", "transaction": "tr_", "transaction_item": "ti_", "page_ping": "pp_"}
_JSON: Final = ("contexts", "unstruct_event", "derived_contexts")


def is_row(text: str) -> bool:
    """Whether a text has as many columns as an enriched event, and the id and times where they belong."""
    return text.count("\t") == COLUMNS - 1 and "{" not in text.partition("\t")[0]


def read(bench: Workbench, body: Body) -> Entry:
    """The event of one row."""
    cells = body.text.rstrip("\r\n").split("\t")
    if len(cells) != COLUMNS:
        return refusal.refuse(InvalidReason.WRONG_TYPE, "$")
    row: dict[str, Any] = {name: cells[place] or None for name, place in _PLACES.items()}
    for column in _JSON:
        row[column] = parse_json(row[column]) if row[column] else None
        if isinstance(row[column], Invalid):
            return refusal.below(f"$.{column}", row[column])
    fields = Fields(row)
    found = described(row["unstruct_event"])
    name = fields.text("event_name", "event") or found.name
    kind = kind_of(name)
    consent, stated = consent_of(found)
    draft = Draft(
        vendor=VENDOR,
        kind=kind,
        name=row["se_action"] if row["event"] == "struct" and row["se_action"] else name,
        event_id=fields.id("event_id"),
        occurred_at=fields.time(stamp.utc_text, "derived_tstamp", "true_tstamp", "dvce_created_tstamp"),
        sent_at=fields.hint(stamp.utc_text, "dvce_sent_tstamp"),
        device=fields.id("domain_userid", "network_userid"),
        person=fields.id("user_id"),
        properties=_properties(row, kind, found.content),
        context=page(row["page_url"], row["page_referrer"], row["page_title"], row["page_urlpath"])
        | present(**{key: row[key] for key in _CONTEXT})
        | present(schema=found.schema, consent=stated)
        | entities(row["contexts"], row["derived_contexts"]),
        consent=consent,
        name_path="$.event_name",
        id_path="$.domain_userid",
    )
    return fields.problem or finish(bench, draft, body.received_at, 0)


def _properties(row: dict[str, Any], kind: Kind, content: dict[str, Any]) -> dict[str, Any]:
    if content:
        return content
    if kind is Kind.PAGE:
        return present(page_title=row["page_title"], page_url=row["page_url"], page_referrer=row["page_referrer"])
    prefix = _FAMILIES.get(row["event"] or "")
    return {key: value for key, value in row.items() if prefix and key.startswith(prefix) and value is not None}
