"""Numbers of cards and telephones, told from order numbers, prices and dates.

Rules: a run of digits and what people put between them is taken apart once. A card is 13 to 19 digits with a valid
check digit (ISO/IEC 7812, Luhn), from the beginning of a group to the end of one. A telephone number is what begins
with ``+``, ``00``, a trunk ``0`` or a bracket, has the form of the North American plan, or stands in three groups or
more; 7 to 15 digits (ITU-T E.164). A date stays, as do other digits in one piece; 20 and more in one piece go.
"""

import re

CARD = "[card]"
PHONE = "[phone]"
NUMBER = "[number]"

_RUN = re.compile(r"(?<!\d)(?:\(?\+\(?|\()?\d(?:[ ().\-/\u2010-\u2015]{0,3}\d)*+", re.ASCII)
_DATE = re.compile(
    r"((?<!\d)(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])[-/.](?:19|20)\d\d"
    r"|(?:19|20)\d\d[-/](?:19|20)\d\d)(?!\d))",
    re.ASCII,
)
_GROUP = re.compile(r"\d+", re.ASCII)
_TRUNK = re.compile(r"00\d{7,15}|0\d{8,11}", re.ASCII)
_WRITTEN = re.compile(r"\d{3}[ .-]\d{4}|\d{4} \d{4}|(?:1[ .-]?)?[2-9]\d\d[ .-]?[2-9]\d{6}", re.ASCII)
_ISSUERS = "23456"
_CARD_DIGITS = range(13, 20)
_FEWEST, _MOST = 7, 15
_FEWEST_GROUPS, _FEWEST_GROUPED = 3, 9
_TOO_LONG = 20


def scrub_numbers(text: str) -> str:
    """The text with numbers of cards and telephones replaced."""
    return _RUN.sub(_judged, text)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        digit = int(char)
        if place % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2  # noqa: PLR2004 - two digits are added up
        total += digit
    return total % 10 == 0


def _judged(found: re.Match[str]) -> str:
    run = found[0]
    if len(run) < _FEWEST:
        return run
    groups = [(match.start(), match.end()) for match in _GROUP.finditer(run)]
    parts: list[str] = []
    done = first = 0
    while first < len(groups):
        last = _card(run, groups, first)
        if last is None:
            first += 1
            continue
        parts += [_without_dates(run[done : groups[first][0]]), CARD]
        done, first = groups[last][1], last + 1
    return "".join([*parts, _without_dates(run[done:])])


def _card(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the card that begins with group ``first``; a card has at most 19 digits, hence 19 groups."""
    if run[groups[first][0]] not in _ISSUERS:
        return None
    digits = ""
    for last in range(first, len(groups)):
        digits += run[slice(*groups[last])]
        if len(digits) >= _CARD_DIGITS.stop:
            return None
        if len(digits) in _CARD_DIGITS and luhn(digits):
            return last
    return None


def _without_dates(text: str) -> str:
    """Every second part is a date and stays."""
    parts = _DATE.split(text)
    return "".join(part if number % 2 else _phone(part) for number, part in enumerate(parts))


def _phone(part: str) -> str:
    core = part.strip(" ./-")
    groups = _GROUP.findall(core)
    digits = "".join(groups)
    if len(digits) < _FEWEST:
        return part
    if len(digits) > _MOST and min(map(len, groups)) >= _FEWEST:
        return _GROUP.sub(lambda each: _named(each[0], [each[0]], each[0]) or each[0], part)
    name = _named(core, groups, digits)
    return part.replace(core, name) if name else part


def _named(core: str, groups: list[str], digits: str) -> str | None:
    if max(map(len, groups)) >= _TOO_LONG:
        return NUMBER
    if core.startswith(("+", "(")) or (len(groups) >= _FEWEST_GROUPS and len(digits) >= _FEWEST_GROUPED):
        return PHONE
    if len(groups) > 1 and core.startswith("0."):
        return None  # a part of one
    return PHONE if _TRUNK.fullmatch(digits) or _WRITTEN.fullmatch(core) else None
