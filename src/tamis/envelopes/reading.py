"""Reads the fields of one JSON object of a vendor's form, keeping the first that has a wrong type.

Rules: reading is total; a wrong type gives the field's empty value and is remembered as ``problem`` with its path, so a
caller reads everything and asks once. Keys are names of the vendor's specification, never text a sender chose.
"""

from collections.abc import Callable
from typing import Any

from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason
from tamis.envelopes import refusal

Id = str | int


class Fields:
    """One object.

    Args:
        found: a decoded JSON value; anything but an object is a problem at ``root``.
        root: its path.
    """

    __slots__ = ("_object", "_root", "problem")

    def __init__(self, found: Any, root: str = "$") -> None:
        self.problem: Invalid | None = None
        self._root = root
        self._object: dict[str, Any] = found if isinstance(found, dict) else {}
        if not isinstance(found, dict):
            self.problem = refusal.refuse(InvalidReason.WRONG_TYPE, root)

    def raw(self, key: str) -> Any:
        """Whatever stands there, None when nothing does."""
        return self._object.get(key)

    def text(self, *keys: str) -> str | None:
        """The first text that is not empty."""
        found: str | None = self._first(keys, str)
        return found

    def id(self, *keys: str) -> Id | None:
        """The first id, text or whole number, that is not empty."""
        found: Id | None = self._first(keys, (str, int))
        return found

    def object(self, key: str) -> dict[str, Any]:
        """An object, empty when it is missing or null."""
        value = self._object.get(key)
        if isinstance(value, dict):
            return value
        if value is not None:
            self._wrong(key)
        return {}

    def starting(self, prefix: str) -> dict[str, Any]:
        """All fields whose names start so and hold something."""
        return {key: value for key, value in self._object.items() if key.startswith(prefix) and value is not None}

    def time(self, read: Callable[[Any], int | None], *keys: str) -> int | None:
        """The first time that is there, microseconds; one that ``read`` cannot read is a problem."""
        for key in keys:
            value = self._object.get(key)
            if value is not None and value != "":
                found = read(value)
                if found is None:
                    self._wrong(key, InvalidReason.BAD_TIME)
                return found
        return None

    def hint(self, read: Callable[[Any], int | None], *keys: str) -> int | None:
        """A time that decides nothing: unreadable is as good as missing."""
        values = (self._object.get(key) for key in keys)
        return next((found for found in map(read, values) if found is not None), None)

    def _first(self, keys: tuple[str, ...], kind: type | tuple[type, ...]) -> Any:
        for key in keys:
            value = self._object.get(key)
            if value is None or value == "":
                continue
            if isinstance(value, kind) and not isinstance(value, bool):
                return value
            self._wrong(key)
        return None

    def _wrong(self, key: str, reason: InvalidReason = InvalidReason.WRONG_TYPE) -> None:
        if self.problem is None:
            self.problem = refusal.refuse(reason, f"{self._root}.{key}")
