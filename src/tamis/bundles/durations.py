"""Durations as people write them: ``500ms``, ``30s``, ``5m``, ``72h``, ``390d``. Rules: one whole number, one unit."""

import re

_FORM = re.compile(r"([1-9][0-9]{0,6})(ms|s|m|h|d)")
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text: str) -> int:
    """The duration in ms.

    Raises:
        ValueError: not a duration (a fault: configuration is checked first).
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"not a duration: {text}")
    return int(found[1]) * _MS[found[2]]
