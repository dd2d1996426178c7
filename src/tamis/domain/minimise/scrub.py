"""The action ``scrub``: free text without the personal data that has a form.

Rules: addresses are stripped before, the length is bounded after; a number that looks like one of a card or a telephone
is left out; other scalars pass as with ``keep``. Not handled here: names (``domain.scrub.text`` says what is found).
"""

from typing import Any

from tamis.domain.minimise.action import Action, Options, Scalar
from tamis.domain.minimise.keep import keep
from tamis.domain.minimise.text import bounded
from tamis.domain.minimise.url import strip_address, without_query
from tamis.domain.scrub.text import MAX_SCANNED, scrub_text


def scrub(_options: Options) -> Action:
    """Makes the action; it has no options."""
    return scrubbed


def scrubbed(value: Any) -> Scalar | None:
    """What of a value may leave."""
    if type(value) is not str:
        number = keep(value)
        return None if type(number) is int and scrub_text(str(number)) != str(number) else number
    text = value if len(value) <= MAX_SCANNED else value[: MAX_SCANNED + 1]
    if text.startswith(("/", "?")):
        text = strip_address(text)
    elif "/" in text or "?" in text:
        text = without_query(text)
    return bounded(scrub_text(text))
