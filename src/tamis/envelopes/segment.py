"""Segment: calls of the analytics.js specification.

Sources: Segment HTTP Tracking API and Spec ("Common fields", "Consent Management"). ``timestamp`` is the client's time
of the event and ``sentAt`` of the request; the vendor corrects clock skew on its own servers with its own time of
receipt, so no correction is applied here. ``context.consent.categoryPreferences`` maps category ids to booleans.
"""

from typing import Any

from tamis.domain.event import InlineConsent
from tamis.envelopes.dialect import Call, Dialect


def _recognises(_call: Call) -> bool:
    return True


def category_preferences(signal: Any) -> InlineConsent:
    """``context.consent``; only the JSON value true is a yes, any other form of the object denies everything."""
    preferences = signal.get("categoryPreferences") if isinstance(signal, dict) else None
    if not isinstance(preferences, dict):
        return InlineConsent({}, malformed=True)
    return InlineConsent({category: choice is True for category, choice in preferences.items()})


SEGMENT = Dialect(
    vendor="segment",
    recognises=_recognises,
    original_first=False,
    consent_key="consent",
    read_consent=category_preferences,
)
