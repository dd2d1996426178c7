"""What a conversion is worth: a fixed amount, a property of the event, or nothing.

Rules: a value is a finite number from 0 to a limit; a property that is missing, not a number, negative or above the
limit gives no value (a number without bounds could carry a phone number out). Booleans are not numbers.
``learned`` stands for a value that is estimated from outcomes; until there is an estimate the event has none.
Not handled here: currencies, estimating values.
"""

from typing import Any

from tamis.domain.event import Event
from tamis.domain.paths import getter, required_path
from tamis.domain.rules import ValueOf

DEFAULT_LIMIT = 1_000_000
LEARNED = "learned"


def compile_value(spec: Any) -> ValueOf:
    """The value as a function of the event.

    Args:
        spec: a number, ``{"path": ..., "max": ...}``, ``LEARNED``, or None for no value.
    """
    if spec is None or spec == LEARNED:
        return lambda _event: None
    if isinstance(spec, int | float):
        fixed = float(spec)
        return lambda _event: fixed
    get = getter(required_path(spec["path"]))
    limit = spec.get("max", DEFAULT_LIMIT)

    def value(event: Event) -> float | None:
        found = get(event)
        if (type(found) is int or type(found) is float) and 0 <= found <= limit:
            return float(found)
        return None

    return value
