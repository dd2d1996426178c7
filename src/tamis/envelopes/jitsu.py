"""Jitsu: the analytics.js specification, posted to ``/api/s/<call>``.

Source: Jitsu "HTTP API" and its browser and Node clients. The calls are those of Segment, consent included. They are
recognised by their client (``context.library.name``) or by the address they were posted to (record header
``endpoint``); a body of the HTTP API that names neither cannot be told from Segment's. A page has no name of its own:
what ``jitsu.page(name)`` is given arrives as a property. Jitsu's specification corrects no skew.
"""

from typing import Final

from tamis.envelopes.calls import Calls
from tamis.envelopes.dialect import Call, Dialect
from tamis.envelopes.envelope import Workbench
from tamis.envelopes.segment import category_preferences

VENDOR: Final = "jitsu"
ADDRESS: Final = "/api/s/"


def _recognises(call: Call) -> bool:
    context = call.context
    if context is None:
        return False
    library = context.get("library")
    if type(library) is not dict:
        return False
    name = library.get("name")
    return type(name) is str and VENDOR in name  # its packages are in lower case, as npm demands


JITSU = Dialect(
    vendor=VENDOR,
    recognises=_recognises,
    original_first=False,
    consent_key="consent",
    read_consent=category_preferences,
    skewed=False,
    named_pages=False,
)


def posted_calls(bench: Workbench, readers: tuple[Dialect, ...], *, sure: bool) -> Calls:
    """Reads calls that are known to be Jitsu's.

    Args:
        bench: limits and derived ids.
        readers: dialects whose consent signal is read.
        sure: the topic is known to hold nothing else.
    """
    return Calls(bench, (JITSU,), readers, sure=sure)
