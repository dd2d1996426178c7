"""Addresses of mail: anything joined by an at sign.

Rules: wider than RFC 5322 on purpose: with or without a dot in the domain, quoted local parts and numbers in brackets
too. Each character is looked at a bounded number of times: a run before the sign is tried once.
"""

import re

EMAIL = "[email]"
_LOCAL = r"""[^\s<>()\[\]\\,;"@]"""
_FORM = re.compile(
    rf"""(?:"[^"]{{1,64}}"|(?<!{_LOCAL}){_LOCAL}++)@(?:\[[0-9A-Fa-f:.]{{2,45}}\]|[\w-]++(?:\.[\w-]++)*+)"""
)


def scrub_emails(text: str) -> str:
    """The text with addresses of mail replaced."""
    return _FORM.sub(EMAIL, text)
