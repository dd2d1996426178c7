"""The allow-list of one destination as one function: event in, permitted and minimised fields out.

Rules: a field that is not listed does not leave; a listed one leaves as its action makes it or not at all. Fields are
grouped by the object that holds them, so that each object is fetched once. Field actions are registered here, one file
each. Reserved for later: ``pseudonymise``, ``scrub``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tamis.domain.bundle import Projection
from tamis.domain.event import Event
from tamis.domain.minimise.action import Action, Options
from tamis.domain.minimise.bucket import bucket
from tamis.domain.minimise.generalise import generalise
from tamis.domain.minimise.keep import keep, keep_for
from tamis.domain.minimise.truncate import truncate
from tamis.domain.paths import Getter, Path, getter, step


class Maker(msgspec.Struct, frozen=True):
    """How an action is made.

    Attributes:
        make: options to function.
        needs: options as configuration names them; one of each tuple must be given.
    """

    make: Callable[[Options], Action]
    needs: tuple[tuple[str, ...], ...]


# One line an action. "keep" looks at the path and "drop" does nothing: they stand apart.
ACTIONS: dict[str, Maker] = {
    "bucket": Maker(bucket, (("size", "every"),)),
    "generalise": Maker(generalise, (("as",),)),
    "truncate": Maker(truncate, (("chars",),)),
}
KEEP = "keep"
DROP = "drop"
RESERVED = frozenset(("pseudonymise", "scrub"))


class Field(msgspec.Struct, frozen=True):
    """One line of an allow-list: output name, where the value comes from, what is done to it."""

    name: str
    path: Path
    action: str
    options: Mapping[str, Any] = {}


_Entry = tuple[str, str, Action]
_Group = tuple[Getter, tuple[_Entry, ...]]


def compile_projection(fields: Sequence[Field]) -> Projection:
    """The function of an allow-list.

    Args:
        fields: checked; names are unique; ``drop`` lines only say that somebody decided against a field.
    """
    used = [field for field in fields if field.action != DROP]
    holders = dict.fromkeys((field.path.root, field.path.keys[:-1]) for field in used if field.path.keys)
    groups = tuple(_group(Path(root, keys), used) for root, keys in holders)
    alone = tuple((field.name, getter(field.path), _action(field)) for field in used if not field.path.keys)
    return _projection(groups, alone)


def _group(holder: Path, fields: Sequence[Field]) -> _Group:
    """What fetches an object, and (output name, key, action) of each field under it."""
    entries = [
        (field.name, field.path.keys[-1], _action(field))
        for field in fields
        if field.path.keys and (field.path.root, field.path.keys[:-1]) == (holder.root, holder.keys)
    ]
    return getter(holder), tuple(entries)


def _action(field: Field) -> Action:
    if field.action == KEEP:
        return keep_for(field.path.keys[-1]) if field.path.keys else keep
    return ACTIONS[field.action].make(field.options)


def _projection(groups: tuple[_Group, ...], alone: tuple[tuple[str, Getter, Action], ...]) -> Projection:
    def project(event: Event) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for fetch, entries in groups:
            holder = fetch(event)
            if type(holder) is list:
                holder = {key: step(holder, key) for _, key, _ in entries}
            if type(holder) is dict:
                get = holder.get
                for name, key, act in entries:
                    value = get(key)
                    if value is not None:  # most fields are absent from most events
                        value = act(value)
                        if value is not None:
                            out[name] = value
        for name, fetch, act in alone:
            value = act(fetch(event))
            if value is not None:
                out[name] = value
        return out

    return project
