"""Free text without the personal data that has a form: e-mail, card, IBAN, telephone, network address, secret.

Rules: what is found is replaced by a word in brackets that says what was there. A cheap look decides whether a text can
hold anything at all; only then one pass for each form is made, each in linear time, and only over the first
``MAX_SCANNED`` characters: nothing behind them leaves. Other digits than ASCII ones, full-width forms, invisible
characters and written-out at signs do not hide anything. When in doubt it is replaced.
Not handled here: names, street addresses and whatever else has no form; a field that may hold them must not be listed.
"""

import re
import unicodedata

from tamis.domain.scrub.address import scrub_addresses
from tamis.domain.scrub.email import scrub_emails
from tamis.domain.scrub.iban import scrub_ibans
from tamis.domain.scrub.numbers import scrub_numbers
from tamis.domain.scrub.secret import KNOWN_MARKS, scrub_secrets

MAX_SCANNED = 4_096
_MARGIN = 320  # longest address of mail (RFC 5321: 64 + 1 + 255)

# Each form holds one of these; letters and spaces alone hold none.
_TELLING = re.compile(rf"[@\d:=&\[({{]|-[A-Fa-f]{{2}}-|{KNOWN_MARKS}", re.ASCII)
_DIGITS = re.compile(r"\d[^A-Za-z]{5}", re.ASCII)  # a number that is looked at has seven characters
_AT = re.compile(r"\s?[\[({]\s?(?:at|@)\s?[\])}]\s?|%40|&#0{0,4}64;|&#x0{0,4}40;|&commat;", re.IGNORECASE)


def scrub_text(text: str) -> str:
    """The text with what has the form of personal data replaced; at most ``MAX_SCANNED`` characters of it."""
    cut = text[:MAX_SCANNED]
    out = _scrubbed(cut if cut.isascii() else _plain(cut))
    # What is cut through at the end is not found: it is shorter than the margin, and left as it was.
    return out if len(text) <= MAX_SCANNED else out[:-_MARGIN]


def _scrubbed(text: str) -> str:
    if text.replace(" ", "").isalpha() or not _TELLING.search(text):
        return text
    return _passes(text)


def _passes(text: str) -> str:
    """Secrets first, since they may look like anything; numbers last, since they are what is left."""
    text = _AT.sub("@", text) if "%" in text or "&" in text or "at" in text.lower() else text
    text = scrub_secrets(text)
    if "@" in text:
        text = scrub_emails(text)
    text = scrub_addresses(text)
    text = scrub_ibans(text)
    return scrub_numbers(text) if _DIGITS.search(text) else text


def _plain(text: str) -> str:
    """One spelling of what looks alike; without characters that are not seen."""
    text = unicodedata.normalize("NFKC", text)[:MAX_SCANNED]
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in text
        if unicodedata.category(char) != "Cf"
    )
