"""The allow-list of one destination as one function: event in, permitted and minimised fields out.

Rules: a field that is not listed does not leave; a listed one leaves as its action makes it or not at all. The function
is written out as straight-line code, once per bundle, in which each object that holds fields is fetched once; of what
people wrote only names and keys enter that code, as ``repr`` of a text. Field actions are registered here, one file
each. ``pseudonymise`` needs keys: a projection leaves such fields out (``veiled``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from tamis.domain.bundle import Projection, Veiled
from tamis.domain.minimise.action import Action, Options
from tamis.domain.minimise.bucket import bucket
from tamis.domain.minimise.generalise import generalise
from tamis.domain.minimise.keep import keep, keep_for
from tamis.domain.minimise.pseudonymise import PSEUDONYMISE
from tamis.domain.minimise.scrub import scrub
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.minimise.truncate import truncate
from tamis.domain.paths import Path, getter, step


class Maker(msgspec.Struct, frozen=True):
    """How an action is made.

    Attributes:
        make: options to function.
        needs: options as configuration names them; one of each tuple must be given.
    """

    make: Callable[[Options], Action]
    needs: tuple[tuple[str, ...], ...]


# One line an action. "keep" looks at the path, "drop" does nothing, "pseudonymise" needs keys: they stand apart.
ACTIONS: dict[str, Maker] = {
    "bucket": Maker(bucket, (("size", "every"),)),
    "generalise": Maker(generalise, (("as",),)),
    "scrub": Maker(scrub, ()),
    "truncate": Maker(truncate, (("chars",),)),
}
KEEP = "keep"
DROP = "drop"


# Text that ``keep`` and ``safe_text`` give back as it is.
PLAIN_TEXT = (
    'type(value) is str and "/" not in value and "?" not in value and value.isascii()'
    f" and 0 < len(value) <= {MAX_TEXT_CHARS}"
)


class Field(msgspec.Struct, frozen=True):
    """One line of an allow-list: output name, where the value comes from, what is done to it."""

    name: str
    path: Path
    action: str
    options: Mapping[str, Any] = {}


def compile_projection(fields: Sequence[Field]) -> Projection:
    """The function of an allow-list, its fields in the order of the list.

    Args:
        fields: checked; names are unique; ``drop`` lines only say that somebody decided against a field.
    """
    used = [field for field in fields if field.action not in (DROP, PSEUDONYMISE)]
    names: dict[str, Any] = {"type": type, "dict": dict, "str": str, "len": len, "partial": partial, "step": step}
    source = ["def project(event):", " out = {}"]
    getters: dict[tuple[str, ...], str] = {}
    for field in used:
        if field.path.keys:
            source += _holder((field.path.root, *field.path.keys[:-1]), getters)
    for number, field in enumerate(used):
        names[f"act{number}"] = _action(field)
        source += _field(number, field, getters)
    source.append(" return out")
    exec("\n".join(source), names)  # noqa: S102 - made of numbers and repr() alone, see the module docstring
    project: Projection = names["project"]
    return project


def veiled(fields: Sequence[Field]) -> tuple[Veiled, ...]:
    """The fields of an allow-list that leave as pseudonyms."""
    return tuple(Veiled(field.name, getter(field.path)) for field in fields if field.action == PSEUDONYMISE)


def _holder(place: tuple[str, ...], getters: dict[tuple[str, ...], str]) -> list[str]:
    """Lines that bind a look-up of the members of the object at ``place``, unless there is one; parents come first."""
    if place in getters:
        return []
    name = f"get{len(getters)}"
    if len(place) == 1:  # properties and context are always objects
        getters[place] = name
        return [f" {name} = event.{place[0]}.get"]
    lines = _holder(place[:-1], getters)
    getters[place] = name = f"get{len(getters)}"
    return [
        *lines,
        f" value = {getters[place[:-1]]}({place[-1]!r})",
        f" {name} = value.get if type(value) is dict else partial(step, value)",
    ]


def _field(number: int, field: Field, getters: Mapping[tuple[str, ...], str]) -> list[str]:
    """Lines that set one field; most fields are absent from most events and cost one look-up."""
    path = field.path
    fetch = f"{getters[path.root, *path.keys[:-1]]}({path.keys[-1]!r})" if path.keys else f"event.{path.root}"
    return [
        f" value = {fetch}",
        " if value is not None:",
        *_act(number, field),
        "  if value is not None:",
        f"   out[{field.name!r}] = value",
    ]


def _act(number: int, field: Field) -> list[str]:
    """Lines that apply the action; of the two commonest, what happens to plain text is written out."""
    call = f"value = act{number}(value)"
    if field.action == "truncate":
        return [f"  if {PLAIN_TEXT}: value = value[:{int(field.options['chars'])}]", f"  else: {call}"]
    if field.action == KEEP and _action(field) is keep:
        return [f"  if not ({PLAIN_TEXT}): {call}"]
    return [f"  {call}"]


def _action(field: Field) -> Action:
    if field.action == KEEP:
        return keep_for(field.path.keys[-1]) if field.path.keys else keep
    return ACTIONS[field.action].make(field.options)
