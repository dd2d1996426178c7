"""Destinations: topics, purposes and the allow-list of fields.

Rules: ids and topics are unique; the topic is ``events.clean`` or ``crm.<id>``; purposes exist; each field has a known
action with its options and no others, and a path that leads to no identity.
"""

from collections.abc import Iterator, Sequence

from tamis.bundles.condition_check import check_path
from tamis.bundles.document import Place
from tamis.bundles.personal import looks_free, looks_like_id, looks_personal
from tamis.bundles.problem import Problem
from tamis.bundles.rule_check import duplicates, unknown
from tamis.domain.minimise.projection import ACTIONS, DROP, KEEP
from tamis.domain.minimise.pseudonymise import PSEUDONYMISE
from tamis.domain.paths import parse_path

CLEAN = "events.clean"
# Options an action needs: one of each tuple, and no options beside these.
_OPTIONS = {KEEP: (), DROP: (), PSEUDONYMISE: ()} | {name: maker.needs for name, maker in ACTIONS.items()}
_COMMON = frozenset(("from", "action", "why"))


def check_destinations(destinations: list[Place], purposes: set[str] | None) -> Iterator[Problem]:
    """All faults of all destinations."""
    yield from duplicates(destinations, "destination")
    topics: dict[str, str] = {}
    for destination in destinations:
        yield from unknown(destination.at("purposes"), "purpose", purposes)
        yield from _topic(destination, topics)
        for _, field in destination.at("fields").members():
            yield from _field(field)


def _topic(destination: Place, seen: dict[str, str]) -> Iterator[Problem]:
    name, topic = destination.text("id"), destination.text("topic")
    if not topic:
        return
    if topic not in (CLEAN, f"crm.{name}"):
        yield destination.at("topic").error(f'topic must be {CLEAN} or crm.{name}, not "{topic}"')
    elif topic in seen:
        yield destination.at("topic").error(f'topic "{topic}" is already that of destination "{seen[topic]}"')
    seen.setdefault(topic, name)


def _field(field: Place) -> Iterator[Problem]:
    if not isinstance(field.value, dict):
        return
    action = field.text("action")
    yield from check_path(field.at("from"))
    if action and action not in _OPTIONS:
        yield field.at("action").error(f'unknown field action "{action}": there is {", ".join(sorted(_OPTIONS))}')
    elif action:
        yield from _options(field, action)
        yield from _personal(field, action)


def _options(field: Place, action: str) -> Iterator[Problem]:
    needed = _OPTIONS[action]
    allowed = {name for names in needed for name in names}
    for names in needed:
        given = [name for name in names if name in field.value]
        if len(given) != 1:
            yield field.error(f"{action} needs {'exactly one of ' if len(names) > 1 else ''}{' and '.join(names)}")
    for name in field.value:
        if name not in allowed | _COMMON and name in ("as", "chars", "size", "every"):
            yield field.at(name).error(f'"{name}" does not belong to {action}')


def _personal(field: Place, action: str) -> Iterator[Problem]:
    path = field.text("from")
    parsed = parse_path(path)
    if parsed is None or action not in (KEEP, "truncate", "scrub"):
        return
    if looks_personal(parsed.keys):
        yield field.warning(f'"{path}" looks like personal data: {_instead(parsed.keys, action)}')
    elif action != "scrub" and looks_free(parsed.keys):
        yield field.warning(f'"{path}" looks like text people type: scrub or drop it')


def _instead(keys: Sequence[str], action: str) -> str:
    """What to do with a field that looks personal; an id may be of use as a pseudonym."""
    if action == "scrub":
        return "scrubbing finds no names; generalise or drop it"
    return "pseudonymise or drop it" if looks_like_id(keys) else "generalise or drop it"
