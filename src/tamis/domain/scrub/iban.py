"""International bank account numbers, told from other codes by their check digits.

Rules: two letters, two digits and 11 to 30 letters or digits, in groups or without, whose remainder by 97 is one
(ISO 7064); the length is the country's, where the registry names it, else any.
Source: ISO 13616, SWIFT IBAN registry.
"""

import re

IBAN = "[iban]"
_FORM = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]){11,30}+", re.ASCII)
_SHORTEST, _LONGEST = 15, 34
_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
    21: "CH CR HR LI LV", 22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL OM SO",
    24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
    33: "RU",
}  # fmt: skip
_LENGTH = {country: length for length, countries in _LENGTHS.items() for country in countries.split()}


def scrub_ibans(text: str) -> str:
    """The text with account numbers replaced."""
    return _FORM.sub(_judged, text) if len(text) >= _SHORTEST else text


def _judged(found: re.Match[str]) -> str:
    whole = found[0]
    compact = whole.replace(" ", "").replace("-", "").upper()
    known = _LENGTH.get(compact[:2])
    for length in (known,) if known else range(min(_LONGEST, len(compact)), _SHORTEST - 1, -1):
        if length <= len(compact) and _checks(compact[:length]):
            return IBAN + _behind(whole, length)
    return whole


def _checks(code: str) -> bool:
    turned = code[4:] + code[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _behind(whole: str, length: int) -> str:
    """What follows the first ``length`` letters and digits."""
    for place, char in enumerate(whole):
        length -= char.isalnum()
        if not length:
            return whole[place + 1 :]
    return ""
