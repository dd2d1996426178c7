"""Secrets and identifiers of machines: tokens, keys, cookies, device ids.

Rules: what follows a word such as ``password=``, ``token:`` or ``Bearer`` goes; so do JSON web tokens, keys with the
prefixes of well-known services, UUIDs, hexadecimal words of 16 and more characters with a digit in them, and words of
20 and more characters that mix capitals, small letters and digits (RFC 4648 alphabets). A long word of letters alone
stays.
"""

import re

SECRET = "[secret]"  # noqa: S105 - what stands in the place of one
TOKEN = "[token]"  # noqa: S105 - as above

# What keys of well-known services begin with; one of these is in every text that holds such a key.
KNOWN_MARKS = r"eyJ|A[KS]IA|AIza|SG\.|(?:[spr]k|whsec|gh[opusr]|pat|sq0atp|xox[a-z])[_-]"

_NAMED = re.compile(
    r"""(?i)(?<![a-z0-9])((?:[a-z0-9]{1,24}[_.-])?(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[ _-]?key|key|auth"""
    r"""(?:orization)?|session[ _-]?id|sid|cookie)["']?\s?[:=]\s?["']?)(?:(?:bearer|basic|digest)\s)?[^\s"',;&]++"""
)
_SCHEME = re.compile(r"(?i)(?<![a-z0-9])(bearer|basic)\s{1,4}(?=[^\s\d]{0,200}[\d=+/._~])[a-z0-9+/=._~-]{8,}+")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:eyJ[\w-]{8,}+(?:\.[\w-]*+){0,4}|(?:sk|pk|rk|whsec|ghp|gho|ghu|ghs|ghr|github_pat|glpat|shpat|sq0atp)"
    r"[_-][\w-]{8,}+|xox[a-z]-[\w-]{8,}+|(?:AKIA|ASIA)[0-9A-Z]{12,}+|AIza[\w-]{20,}+|ya29\.[\w-]{8,}+|SG\.[\w-]{8,}+(?:\.[\w-]++)?)"
)
_WORD = re.compile(r"(?<![\w+/=-])[A-Za-z0-9_+/=-]{16,}+")
_HEX = frozenset("0123456789abcdefABCDEF-")
_FEWEST_MIXED = 20
_SHORTEST = 11


def scrub_secrets(text: str) -> str:
    """The text with secrets and identifiers of machines replaced."""
    if "=" in text or ":" in text:
        text = _NAMED.sub(rf"\1{SECRET}", text)
    if len(text) < _SHORTEST:
        return text
    if "asic" in text or "earer" in text or "ASIC" in text or "EARER" in text:
        text = _SCHEME.sub(rf"\1 {SECRET}", text)
    text = _KNOWN.sub(TOKEN, text)
    text = _UUID.sub(TOKEN, text)
    return _WORD.sub(_judged, text)


def _judged(found: re.Match[str]) -> str:
    word = found[0]
    digits = any(char in "0123456789" for char in word)
    if not digits or word.isdigit():
        return word
    if _HEX.issuperset(word):
        return word if not word.strip("0123456789-") else TOKEN  # digits and dashes are a number
    mixed = len(word) >= _FEWEST_MIXED and word != word.lower() and word != word.upper()
    return TOKEN if mixed else word
