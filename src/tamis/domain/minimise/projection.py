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
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.minimise.truncate import truncate
from tamis.domain.paths import Getter, Path, getter, step

# One line an action: its name in configuration -> options to function. "keep" looks at the path and stands apart.
ACTIONS: dict[str, Callable[[Options], Action]] = {
    "bucket": bucket,
    "generalise": generalise,
    "truncate": truncate,
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


class _Group(msgspec.Struct, frozen=True):
    """The fields under one object.

    Attributes:
        fetch: gets the object.
        keys: all keys in use.
        kept: (output name, key) of the ones whose action is plain ``keep``.
        changed: (output name, key, action) of the others.
    """

    fetch: Getter
    keys: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str, Action], ...]


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
    inside = [
        (field.name, field.path.keys[-1], _action(field))
        for field in fields
        if field.path.keys and (field.path.root, field.path.keys[:-1]) == (holder.root, holder.keys)
    ]
    kept = tuple((name, key) for name, key, act in inside if act is keep)
    keys = tuple(key for _, key, _ in inside)
    return _Group(getter(holder), keys, kept, tuple(entry for entry in inside if entry[2] is not keep))


def _action(field: Field) -> Action:
    if field.action == KEEP:
        return keep_for(field.path.keys[-1]) if field.path.keys else keep
    return ACTIONS[field.action](field.options)


def _projection(groups: tuple[_Group, ...], alone: tuple[tuple[str, Getter, Action], ...]) -> Projection:
    steps = tuple((group.fetch, group.keys, group.kept, group.changed) for group in groups)

    def project(event: Event) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for fetch, keys, kept, changed in steps:
            holder = fetch(event)
            if type(holder) is list:
                holder = {key: step(holder, key) for key in keys}
            if type(holder) is dict:
                _keep_into(out, holder, kept)
                for name, key, act in changed:
                    value = act(holder.get(key))
                    if value is not None:
                        out[name] = value
        for name, get, act in alone:
            value = act(get(event))
            if value is not None:
                out[name] = value
        return out

    return project


def _keep_into(out: dict[str, Any], holder: dict[str, Any], kept: tuple[tuple[str, str], ...]) -> None:
    fetch = holder.get
    for name, key in kept:
        value = fetch(key)
        if value is None:
            continue
        # What ``keep`` would say of most texts, without a call.
        if (
            type(value) is str
            and "/" not in value
            and "?" not in value
            and value.isascii()
            and 0 < len(value) <= MAX_TEXT_CHARS
        ):
            out[name] = value
            continue
        value = keep(value)
        if value is not None:
            out[name] = value
