"""Browser and string signals in a form of our own, for whoever collects them: documented in docs/connect-your-cmp.md.

``{"type": "signals", "identity": {"person", "device"}, "effective_at": ..., "tcf", "gpp", "usp", "gcs", "gcd", "gpc"}``

Rules: strings give the categories of ``consent_sources.strings``; Global Privacy Control (``Sec-GPC: 1``) refuses
``us.sale``, ``us.share`` and ``us.targeted_advertising``, and its absence says nothing; ``gcs`` and ``gcd`` give
Google's categories, where only a choice of the person grants. A string that is present and cannot be read refuses all
categories of its kind. The time is required, as in the canonical form.
"""

from typing import Any

from tamis.consent_sources import fields, strings
from tamis.consent_sources.statement import Entry, Statement
from tamis.domain.consent.model import Status, keep_all
from tamis.domain.consent.strings.consent_mode import TYPES, ConsentMode, Signal, decode_gcd, decode_gcs
from tamis.domain.outcome import InvalidReason

_READERS = {"tcf": strings.of_tcf, "gpp": strings.of_gpp, "usp": strings.of_usp}
_MODES = {"gcs": decode_gcs, "gcd": decode_gcd}


class Signals:
    """Reads the form."""

    id = "signals"

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether ``type`` says so."""
        return body.get("type") == "signals"

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, or why it cannot be read."""
        return [fields.attempt(_statement, body)]


def _statement(body: dict[str, Any]) -> Statement:
    who = fields.table(body.get("identity"), "$.identity")
    effective_at = fields.moment(body.get("effective_at"), "$.effective_at")
    if effective_at is None:
        fields.refuse(InvalidReason.MISSING_FIELD, "$.effective_at")
    choices: dict[str, Status] = {}
    gpc = body.get("gpc") in (True, "1", 1)
    if gpc:
        choices |= dict.fromkeys(strings.US_CATEGORIES, Status.DENIED)
    for field, read in _READERS.items():
        text = body.get(field)
        if text is not None:
            keep_all(choices, read(text if isinstance(text, str) else ""))
    for field in _MODES:
        if body.get(field) is not None:
            keep_all(choices, _mode(field, body[field]))
    return Statement(
        source=Signals.id,
        choices=choices,
        person=fields.identity(who.get("person"), "$.identity.person"),
        device=fields.identity(who.get("device"), "$.identity.device"),
        effective_at=effective_at,
        regulation=fields.label(body.get("regulation")),
        gpc=gpc or None,
    )


def _mode(field: str, text: Any) -> dict[str, Status]:
    found = _MODES[field](text if isinstance(text, str) else "")
    if not isinstance(found, ConsentMode):
        return dict.fromkeys(TYPES, Status.DENIED)
    grants = field == "gcd"  # gcs cannot tell a default from a choice
    stated = {name: found.get(name) for name in TYPES}
    return {
        name: Status.GRANTED if signal is Signal.GRANTED else Status.DENIED
        for name, signal in stated.items()
        if signal is not Signal.UNSET and (grants or signal is not Signal.GRANTED)
    }
