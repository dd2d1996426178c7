"""Segment: calls of the analytics.js specification.

Sources: Segment HTTP Tracking API and Spec ("Common fields", "Consent Management"). ``timestamp`` is the client's time
of the event and ``sentAt`` of the request, by which clocks are corrected (``calls``).
``context.consent.categoryPreferences`` maps category ids to booleans.
"""

from typing import Any

from tamis.domain.event import InlineConsent
from tamis.envelopes.dialect import Call, Dialect


def _recognises(_call: Call) -> bool:
    return True


def category_preferences(signal: Any) -> InlineConsent:
    """``context.consent``; only the JSON value true is a yes, any other form of the object denies everything."""
    try:
        preferences = signal["categoryPreferences"]
        choices = preferences.values()
    except (TypeError, KeyError, AttributeError):
        return InlineConsent({}, malformed=True)
    for choice in choices:
        if choice is not True and choice is not False:
            return InlineConsent({category: value is True for category, value in preferences.items()})
    return InlineConsent(preferences)


SEGMENT = Dialect(
    vendor="segment",
    recognises=_recognises,
    original_first=False,
    consent_key="consent",
    read_consent=category_preferences,
)
