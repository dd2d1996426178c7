"""What a field action is: a function from any JSON value to a scalar that may leave, or None to leave the field out.

Rules: an action never raises, whatever the value; it gives a scalar (text, integer, real number, boolean) or None;
a value of a type the action does not expect gives None.
"""

from collections.abc import Callable, Mapping
from typing import Any

Scalar = str | int | float | bool
Action = Callable[[Any], Scalar | None]
Options = Mapping[str, Any]
