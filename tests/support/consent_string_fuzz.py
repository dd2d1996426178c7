"""Breaks valid consent strings in ways that nobody may profit from, and looks for one that says yes more often.

Rules: what is broken are ends, separators, alphabets, segments and sections; a changed bit is not among the ways: a
string has no checksum, and a changed bit can be a yes. Scrambled and random strings must only not crash, and be refused
for a reason of the closed set.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.reading import Format, format_of, read
from tests.support.consent_samples import any_text, yeses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOREIGN = "=+/ %!\n\t\0é\ud800٣"


def cut(text: str, random: Random) -> str:
    return text[: random.randrange(len(text))]


def behead(text: str, random: Random) -> str:
    return text[random.randint(1, len(text)) :]


def insert(text: str, random: Random) -> str:
    at = random.randint(0, len(text))
    return text[:at] + random.choice(FOREIGN) + text[at:]


def spoil(text: str, random: Random) -> str:
    at = random.randrange(len(text))
    return text[:at] + random.choice(FOREIGN) + text[at + 1 :]


def drop(text: str, random: Random) -> str:
    """Without one segment or section."""
    separator = random.choice(".~")
    parts = text.split(separator)
    del parts[random.randrange(len(parts))]
    return separator.join(parts)


def double(text: str, random: Random) -> str:
    """One segment or section twice."""
    separator = random.choice(".~")
    parts = text.split(separator)
    at = random.randrange(len(parts))
    return separator.join([*parts[: at + 1], parts[at], *parts[at + 1 :]])


def lengthen(text: str, random: Random) -> str:
    return text + random.choice((".", "~", "A" * 9, "_", "." + "YAAAAAAAAAAA", "~1YNN", "A" * 9000))


WAYS: tuple[Callable[[str, Random], str], ...] = (cut, cut, cut, behead, insert, spoil, drop, double, lengthen)


def scramble(text: str, random: Random) -> str:
    """Some characters exchanged for others of the alphabet."""
    letters = list(text)
    for _ in range(random.randint(1, 4)):
        letters[random.randrange(len(letters))] = random.choice("ABCDEQYZaghz0189-_.~")
    return "".join(letters)


def widened(seed: int, count: int) -> Iterator[str]:
    """Problems found in ``count`` broken strings, each said without the string."""
    random = Random(seed)
    done = 0
    while done < count:
        original = any_text(random)
        kind = format_of(original)
        allowed = yeses(read(original))
        for _ in range(8):
            done += 1
            way = random.choice(WAYS)
            broken = way(original, random)
            if more := _yeses(broken, kind) - allowed:
                yield f"seed {seed}, string {done}: {kind} {way.__name__} gives {len(more)} more"
        _yeses(scramble(original, random), kind)
        _yeses("".join(map(chr, random.choices(range(33, 127), k=random.randint(0, 80)))), None)


def _yeses(text: str, kind: Format | None) -> set[tuple[object, ...]]:
    found = read(text, kind)
    if isinstance(found, Malformed):
        assert found.flaw in Flaw
        assert not any(character in found.message() for character in FOREIGN.replace(" ", ""))
        return set()
    return yeses(found)
