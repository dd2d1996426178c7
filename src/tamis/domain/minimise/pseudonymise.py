"""The action ``pseudonymise``: an id in a field as a pseudonym for this destination, epoch and person.

Rules: keyed like the person's own pseudonym, over the person's salt, the field's name and the value: so equal values of
one person are equal in one field of one destination, and nowhere else; nobody can make it again once the salt is gone.
Placeholders ("null", "anonymous") and what is no text and no integer are left out. A projection without keys gives no
such field at all.
Not handled here: matching values of different persons, which would outlive an erasure.
"""

from typing import Any

from tamis.domain.bundle import Destination
from tamis.domain.event import Event
from tamis.domain.identity import canonical
from tamis.domain.minimise.keep import MAX_INT, MIN_INT
from tamis.domain.subject import Subject

PSEUDONYMISE = "pseudonymise"


class Veil:
    """Adds the pseudonymised fields of one destination.

    Args:
        destination: its ``veiled`` fields, at least one.
    """

    __slots__ = ("_domain", "_fields")

    def __init__(self, destination: Destination) -> None:
        self._domain = destination.id
        self._fields = tuple((field.name, field.get) for field in destination.veiled)

    def add(self, event: Event, subject: Subject, fields: dict[str, Any]) -> None:
        """Adds to ``fields`` what the event has of them; the subject has a salt."""
        for name, get in self._fields:
            text = _id(get(event))
            if text is not None:
                fields[name] = subject.field_pseudonym(self._domain, name, text)


def veil_of(destination: Destination) -> Veil | None:
    """The veil of a destination, None when it pseudonymises no field."""
    return Veil(destination) if destination.veiled else None


def _id(value: Any) -> str | None:
    if type(value) is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            return None
        return canonical(value)
    if type(value) is int and MIN_INT <= value <= MAX_INT:
        return canonical(str(value))
    return None
