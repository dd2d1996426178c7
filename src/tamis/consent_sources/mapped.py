"""Consent tools that publish no payload contract, read as configuration says: JSON pointers to canonical fields.

Rules: a mapping claims a payload only when all its ``claims`` pointers hold the stated values (a null stands for "is
there"); only the words listed as granted grant; a pointer that leads nowhere states nothing for that choice; a survey's
answer counts only under the question it is mapped from (``when``). Whatever the mapping says, a payload is somebody
else's undocumented form: mappings are marked unverified until a captured payload was checked against them.
Syntax of pointers: RFC 6901. Not handled here: reading the configuration (``bundles.mappings``).
"""

from typing import Any

import msgspec

from tamis.consent_sources import fields
from tamis.consent_sources.fields import Refused
from tamis.consent_sources.statement import Entry, Statement
from tamis.consent_sources.words import Choices
from tamis.domain.consent.model import Status, keep_all
from tamis.domain.event import Invalid
from tamis.domain.outcome import InvalidReason

_ABSENT = object()


class MappedChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Where one choice, or several, stand.

    Attributes:
        pointer: to a word; with ``many`` "listed" to a list of granted categories, with "members" to an object of them.
        category: the category's id; with ``many`` a prefix of the ids found.
        many: "" for one word, "listed" or "members".
        of: with "listed": the categories there are; those not listed are refused.
        granted: words that are a yes.
        denied: words that are a no; any other is unclear.
        when: pointer -> value that must stand there, else the choice is not stated.
    """

    pointer: str
    category: str = ""
    many: str = ""
    of: tuple[str, ...] = ()
    granted: tuple[str | bool | int, ...] = ()
    denied: tuple[str | bool | int, ...] = ()
    when: dict[str, str | bool | int | None] = {}


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """How one tool's payload is read.

    Attributes:
        id: id of the source.
        claims: pointer -> value that tells its payloads; null: something stands there.
        choices: see ``MappedChoice``.
        person: pointer to a person's id, "" for none.
        device: pointer to a device's id, "" for none.
        effective_at: pointer to the time of the choice, "" for none; RFC 3339, or a number of seconds or milliseconds.
        regulation: the regulation, "" for the policy's.
        notice: pointer to the notice's version, "" for none.
        event_id: pointer to the statement's own id, "" for none.
        requires: pointer -> value without which the payload states nothing (a choice that was not made yet).
        verified: somebody checked it against captured payloads.
    """

    id: str
    claims: dict[str, str | bool | int | None]
    choices: tuple[MappedChoice, ...]
    person: str = ""
    device: str = ""
    effective_at: str = ""
    regulation: str = ""
    notice: str = ""
    event_id: str = ""
    requires: dict[str, str | bool | int | None] = {}
    verified: bool = False


class MappedSource:
    """A ``ConsentSource`` made of a mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self.id = mapping.id
        self._mapping = mapping

    def claims(self, body: dict[str, Any]) -> bool:
        """Whether everything stands where the mapping says."""
        return _holds(body, self._mapping.claims)

    def read(self, body: dict[str, Any]) -> list[Entry]:
        """The one statement, none when a required value is missing, or why it cannot be read."""
        if not _holds(body, self._mapping.requires):
            return []
        try:
            return [self._statement(body)]
        except Refused as refused:
            return [refused.why]

    def _statement(self, body: dict[str, Any]) -> Statement:
        mapping, choices, unclear = self._mapping, dict[str, Status](), set[str]()
        for choice in mapping.choices:
            found = _stated(choice, body)
            unclear |= found.unclear
            keep_all(choices, found.found)
        return Statement(
            source=mapping.id,
            choices=choices,
            unclear=frozenset(unclear),
            person=fields.identity(_text(body, mapping.person), "$"),
            device=fields.identity(_text(body, mapping.device), "$"),
            effective_at=fields.epoch(_text(body, mapping.effective_at), "$"),
            regulation=mapping.regulation or None,
            notice=fields.label(_text(body, mapping.notice)),
            event_id=fields.label(_text(body, mapping.event_id)),
        )


def point(body: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901), or a mark that nothing does."""
    here = body
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isascii() and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return _ABSENT
    return here


def _holds(body: dict[str, Any], wanted: dict[str, str | bool | int | None]) -> bool:
    for pointer, value in wanted.items():
        found = point(body, pointer)
        if found is _ABSENT or (value is not None and (type(found) is not type(value) or found != value)):
            return False
    return True


def _text(body: dict[str, Any], pointer: str) -> Any:
    found = point(body, pointer) if pointer else _ABSENT
    return None if found is _ABSENT else found


def _stated(choice: MappedChoice, body: dict[str, Any]) -> Choices:
    words: dict[Any, Status] = {}
    for word in choice.denied:
        words[_spelled(word)] = Status.DENIED
    for word in choice.granted:
        words.setdefault(_spelled(word), Status.GRANTED)
    found = Choices(words)
    said = point(body, choice.pointer)
    if said is _ABSENT or not _holds(body, choice.when):
        return found
    if not choice.many:
        found.add(choice.category, _spelled(said))
    elif choice.many == "members":
        if not isinstance(said, dict):
            raise Refused(Invalid(InvalidReason.WRONG_TYPE, "$"))
        found.add_all((choice.category + name, _spelled(word)) for name, word in said.items())
    else:
        _listed(choice, said, found)
    return found


def _listed(choice: MappedChoice, said: Any, found: Choices) -> None:
    if not isinstance(said, list) or len(said) > fields.MAX_ROWS:
        raise Refused(Invalid(InvalidReason.WRONG_TYPE, "$"))
    yes = {fields.name(each, "$") for each in said}
    for name in yes:
        found.found[choice.category + name] = Status.GRANTED
    for name in choice.of:
        if name not in yes:
            found.found[choice.category + name] = Status.DENIED


def _spelled(word: Any) -> Any:
    """A word as it is compared: texts in lower case, whole numbers as their digits, true and false as they are."""
    if isinstance(word, bool):
        return word
    return str(word).lower() if isinstance(word, (str, int)) else None
