"""Google Analytics 4, hits of the browser tag to ``/g/collect``: everything in the query, more events in the body.

Sources: Google documents neither form nor names; what is read here is what the tag sends. The record header
``endpoint`` holds the address with its query. Without a body the query is one event; with a body each line is one
event, its fields before those of the query. ``cid`` is the device, ``uid`` the person, ``en`` the event; ``ep.<name>``
are texts and ``epn.<name>`` numbers, exact; ``up.``/``upn.`` are properties of the user. Other fields that are not
about transport keep their short names (``cu``, ``pr1``). A hit has neither id nor time: ids are derived, the time is
that of receipt. Consent: ``gcs``, ``gcd``, ``npa``/``_npa``, ``dma``, ``dma_cps`` and the strings of the IAB (``gdpr``,
``gdpr_consent``, ``gpp``, ``gpp_sid``, ``us_privacy``), all kept as sent, none judged here; two fields of one
meaning that contradict each other are malformed.
"""

import re
from typing import Any, Final

from tamis.domain.event import InlineConsent, Kind, Signal
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal
from tamis.envelopes.body import Body, Pairs, pairs
from tamis.envelopes.draft import Draft, finish
from tamis.envelopes.envelope import Entries, Entry, Workbench
from tamis.envelopes.page import page, present
from tamis.envelopes.vendor import each

VENDOR: Final = "ga4"
KINDS: Final = {
    "page_view": Kind.PAGE,
    "screen_view": Kind.PAGE,
    "session_start": Kind.AUTO,
    "first_visit": Kind.AUTO,
    "first_open": Kind.AUTO,
    "user_engagement": Kind.AUTO,
    "app_update": Kind.AUTO,
    "os_update": Kind.AUTO,
    "app_remove": Kind.AUTO,
}
SIGNALS: Final = {
    "gdpr_consent": Signal.TCF,
    "gdpr": Signal.GDPR_APPLIES,
    "gpp": Signal.GPP,
    "gpp_sid": Signal.GPP_SID,
    "us_privacy": Signal.USP,
    "us_privacy_string": Signal.USP,
    "gcs": Signal.GCS,
    "gcd": Signal.GCD,
    "npa": Signal.NPA,
    "_npa": Signal.NPA,
    "dma": Signal.DMA,
    "dma_cps": Signal.DMA_CPS,
}
_PLACES: Final = frozenset(("dl", "dr", "dt", "cid", "uid", "en", "tid", "v", "gtm", "api_secret", "measurement_id"))
_TRANSPORT: Final = re.compile(
    r"_.*|sr|ul|uaa|uab|uafvl|uamb|uam|uap|uapv|uaw|are|frm|pscdl|tag_exp|z|em|ecid|gcut|sid|sct|seg|ir|tfd|_et"
)
_WHOLE: Final = re.compile(r"-?\d{1,400}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def is_hit(body: Body) -> bool:
    """Protocol version 2 with a measurement id, in the address or the body."""
    first = pairs(body.text.partition("\n")[0].strip()) if "=" in body.text else {}
    where = body.query if "tid" in body.query else first
    return where.get("v") == "2" and "tid" in where and ("cid" in where or "uid" in where or "/g/collect" in body.path)


def read(bench: Workbench, body: Body) -> Entries:
    """The events of a hit."""
    lines: list[Pairs] = [pairs(line) for line in body.text.splitlines() if line.strip()]
    hits = [{**body.query, **line} for line in lines] or [dict(body.query)]
    return each(bench, hits, "$", lambda hit, path, index: _event(bench, body, hit, path if lines else "$", index))


def _event(bench: Workbench, body: Body, hit: dict[str, str], path: str, index: int) -> Entry:
    name = hit.get("en")
    if not name:
        return refusal.refuse(InvalidReason.MISSING_FIELD, f"{path}.en")
    consent, stated = consent_of(hit)
    draft = Draft(
        vendor=VENDOR,
        kind=KINDS.get(name, Kind.TRACK),
        name=name,
        device=hit.get("cid") or None,
        person=hit.get("uid") or None,
        properties=_properties(hit),
        context=page(hit.get("dl"), hit.get("dr"), hit.get("dt"))
        | present(
            measurement_id=hit.get("tid"),
            session_id=hit.get("sid"),
            user_properties=_typed(hit, "up.", "upn."),
            consent=stated,
        ),
        consent=consent,
        id_path=f"{path}.cid",
    )
    return finish(bench, draft, body.received_at, index)


def _properties(hit: dict[str, str]) -> dict[str, Any]:
    rest = {
        key: value
        for key, value in hit.items()
        if key not in _PLACES
        and key not in SIGNALS
        and not key.startswith(("ep.", "epn.", "up.", "upn."))
        and not _TRANSPORT.fullmatch(key)
    }
    return rest | _typed(hit, "ep.", "epn.")


def _typed(hit: dict[str, str], texts: str, numbers: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in hit.items():
        if key.startswith(texts):
            found[key.removeprefix(texts)] = value
        elif key.startswith(numbers):
            found[key.removeprefix(numbers)] = number(value)
    return found


def number(text: str) -> int | float | str:
    """A number as exact as it was sent; text that is none stays text."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def consent_of(hit: Pairs) -> tuple[InlineConsent | None, dict[str, str]]:
    """Consent signals of a query, and the same under the names they were sent with."""
    stated = {name: hit[name] for name in SIGNALS if hit.get(name)}
    if not stated:
        return None, {}
    signals: dict[str, str] = {}
    for name, text in stated.items():
        signals.setdefault(SIGNALS[name].value, text)
    contradicted = any(signals[SIGNALS[name].value] != text for name, text in stated.items())
    return InlineConsent({}, contradicted, tuple(signals.items())), stated
