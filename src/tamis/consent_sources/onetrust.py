"""OneTrust: the consent event 3010 ("Data Subject Profile Updated"), the consent receipt body, the cookie's text.

Rules: ACTIVE, ALWAYS_ACTIVE and CONFIRMED are a yes; WITHDRAWN, OPT_OUT, HARD_OPT_OUT, NO_CONSENT, NOTGIVEN, EXPIRED
and CANCEL a no; PENDING, IMPLICIT, NO_CHOICE, EXTEND, NONE and any other word are unclear. ``unsubscribeAll`` refuses
everything. Test data subjects state nothing; contact fields and data elements are never read (they carry passwords and
magic links). Times of profiles are texts of epoch seconds, perhaps empty. A profile whose time cannot be read keeps the
event's. Sources: OneTrust's event sample in Segment's documentation, the Receipt API, the OptanonConsent cookie.
A receipt's ``consentString`` adds the categories of ``consent_sources.strings``; one of a type that is not read refuses
them. Not handled here: the collection point's token (``requestInformation``).
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from tamis.consent_sources import fields, strings
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import YES_NO, Choices
from tamis.domain.consent.model import Status
from tamis.domain.outcome import InvalidReason

PROFILE_UPDATED = "3010"
_WORDS = {
    "active": Status.GRANTED,
    "always_active": Status.GRANTED,
    "confirmed": Status.GRANTED,
    "withdrawn": Status.WITHDRAWN,
    "opt_out": Status.DENIED,
    "hard_opt_out": Status.DENIED,
    "no_consent": Status.DENIED,
    "notgiven": Status.DENIED,
    "expired": Status.DENIED,
    "cancel": Status.DENIED,
} | dict(YES_NO)
_DEVICES = frozenset({"cookie unique id", "cookie", "device", "device id", "visitor id", "anonymous id"})
_COOKIE = re.compile(r"(?:^|&)groups=", re.ASCII)
_DATE = re.compile(r"\w{3} (\w{3} \d{1,2} \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})(?: \([^)]*\))?", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class OneTrust:
    """Reads the event, the receipt and the cookie."""

    id = "onetrust"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether it is an event with profiles or a receipt's request."""
        payload = body.get("payload")
        event = isinstance(payload, dict) and "profiles" in payload
        return (event and "eventType" in body) or ("requestInformation" in body and "purposes" in body)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The statements: one a time of choice."""
        if "payload" not in body:
            return [fields.attempt(_receipt, body)]
        try:
            return list(_event(body))
        except fields.Refused as refused:
            return [refused.why]

    def claims_text(self, text: str) -> bool:
        """Whether it is the text of the OptanonConsent cookie."""
        return _COOKIE.search(text) is not None

    def read_text(self, text: str) -> list[Entry]:
        """The cookie's statement."""
        found = {key: values[-1] for key, values in parse_qs(text, keep_blank_values=True, max_num_fields=100).items()}
        return [fields.attempt(_cookie, found)]


def _event(body: dict[str, Any]) -> list[Entry]:
    payload = fields.table(body.get("payload"), "$.payload")
    if str(body.get("eventType")) != PROFILE_UPDATED or payload.get("testDataSubject") is True:
        return []
    person, device = _subject(payload)
    sent = fields.moment(body.get("eventTime"), "$.eventTime")
    everything = payload.get("unsubscribeAll") is True
    grouped: dict[int | None, Choices] = {}
    titles: dict[str, str] = {}
    for profile in fields.rows(payload.get("profiles"), "$.payload.profiles"):
        purpose = fields.name(profile.get("purposeId"), "$.payload.profiles.purposeId")
        inner = profile.get("profileFields")
        said: dict[str, Any] = inner if isinstance(inner, dict) else {}
        word = "OPT_OUT" if everything else said.get("TransactionStatus")
        at = sent if everything else _profile_time(said, sent)
        grouped.setdefault(at, Choices(_WORDS)).add(purpose, word)
        if isinstance(profile.get("purposeName"), str):
            titles[purpose] = profile["purposeName"]
    if everything and not grouped:
        grouped[sent] = Choices(_WORDS)
    return [
        Statement(
            source=OneTrust.id,
            choices=choices.found,
            unclear=frozenset(choices.unclear),
            titles=titles,
            person=person,
            device=device,
            effective_at=at,
            seq=fields.sequence(body.get("messageSequenceNumber"), "$.messageSequenceNumber"),
            event_id=_text(body.get("eventId")),
            complete=everything,
        )
        for at, choices in grouped.items()
    ]


def _subject(payload: dict[str, Any]) -> tuple[str | None, str | None]:
    found = fields.identity(payload.get("dataSubjectIdentifier"), "$.payload.dataSubjectIdentifier")
    kind = payload.get("dataSubjectIdentifierType")
    is_device = isinstance(kind, str) and kind.lower() in _DEVICES
    return (None, found) if is_device else (found, None)


def _profile_time(said: dict[str, Any], sent: int | None) -> int | None:
    for field in ("LastTransaction", "WithdrawalDate", "ConsentDate"):
        if said.get(field):
            return fields.epoch(said[field], f"$.payload.profiles.profileFields.{field}")
    return sent


def _receipt(body: dict[str, Any]) -> Statement:
    choices, ends = Choices(_WORDS), []
    for row in fields.rows(body.get("purposes"), "$.purposes"):
        lower = {key.lower(): value for key, value in row.items()}
        choices.add(fields.name(lower.get("id"), "$.purposes.Id"), lower.get("transactiontype"))
        ends.append(fields.moment(lower.get("expirydate"), "$.purposes.ExpiryDate"))
    return Statement(
        source=OneTrust.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=fields.identity(body.get("identifier"), "$.identifier"),
        effective_at=fields.moment(body.get("interactionDate"), "$.interactionDate"),
        expires_at=min((end for end in ends if end is not None), default=None),
        of_strings=_of_string(body.get("consentString")),
    )


def _of_string(said: Any) -> dict[str, Status]:
    if said is None:
        return {}
    kind, content = (said.get("type"), said.get("content")) if isinstance(said, dict) else (None, None)
    text = content if isinstance(content, str) else ""
    if kind == "GPP":
        return strings.of_gpp(text)
    return strings.of_tcf(text if kind == "TCF_EU" else "")


def _cookie(body: dict[str, Any]) -> Statement:
    choices = Choices({"1": Status.GRANTED, "0": Status.DENIED})
    for group in filter(None, body["groups"].split(",")):
        category, _, word = group.partition(":")
        choices.add(fields.name(category, "$.groups"), word)
    who = fields.identity(body.get("consentId") or None, "$.consentId")
    known = body.get("isAnonUser") == "0"
    flags = {body.get("isGpcEnabled"), body.get("browserGpcFlag")} - {None}
    return Statement(
        source=OneTrust.id,
        choices=choices.found,
        unclear=frozenset(choices.unclear),
        person=who if known else None,
        device=None if known else who,
        effective_at=_browser_date(body.get("datestamp")),
        jurisdiction=body.get("geolocation") or None,
        gpc="1" in flags if flags else None,
    )


def _browser_date(text: Any) -> int | None:
    """A JavaScript Date as text, e.g. "Sun Feb 16 2025 09:00:00 GMT+0100 (Central European Standard Time)"."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        fields.refuse(InvalidReason.BAD_TIME, "$.datestamp")
    month, day, year, clock = found[1].split(" ")
    if month not in _MONTHS:
        fields.refuse(InvalidReason.BAD_TIME, "$.datestamp")
    iso = f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{clock}{found[2]}"
    try:
        return fields.moment(int(datetime.fromisoformat(iso).timestamp()) * 1000, "$.datestamp")
    except (ValueError, OverflowError):
        fields.refuse(InvalidReason.BAD_TIME, "$.datestamp")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
