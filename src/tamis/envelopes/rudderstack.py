"""RudderStack: the analytics.js specification with a ``channel`` and its own consent form.

Sources: RudderStack HTTP API and "Consent management" pages. Browsers send the time of the event as
``originalTimestamp``, server clients as ``timestamp`` (Node sends both); an absent user is "" in browsers, null on
servers. ``context.consentManagement`` lists allowed and denied consent ids; an id in both lists is denied.
"""

from typing import Any

from tamis.domain.event import InlineConsent
from tamis.envelopes.dialect import Call, Dialect


def _recognises(call: Call) -> bool:
    return call.channel is not None or call.rudderId is not None


def consent_management(signal: Any) -> InlineConsent:
    """``context.consentManagement``; a list that is missing is empty, any other form denies everything."""
    if not isinstance(signal, dict) or not ("allowedConsentIds" in signal or "deniedConsentIds" in signal):
        return InlineConsent({}, malformed=True)
    allowed, denied = signal.get("allowedConsentIds", []), signal.get("deniedConsentIds", [])
    if not _is_ids(allowed) or not _is_ids(denied):
        return InlineConsent({}, malformed=True)
    return InlineConsent(dict.fromkeys(allowed, True) | dict.fromkeys(denied, False))


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


RUDDERSTACK = Dialect(
    vendor="rudderstack",
    recognises=_recognises,
    original_first=True,
    consent_key="consentManagement",
    read_consent=consent_management,
)
