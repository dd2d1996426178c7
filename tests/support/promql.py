"""Which series, recorded series and label values a PromQL expression names; text matching, not a parser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tamis.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

SERIES = {series.name: series for series in CATALOGUE}
FOREIGN = {"up", "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"}
TARGET_LABELS = {"job", "instance", "process", "le"}
_SUFFIX = re.compile(r"_(bucket|sum|count)$")
_NAME = re.compile(r'(?<![\w:"])([a-z_][\w:]*)(?:\{([^}]*)\})?(?![\w:]*\s*\()')
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_KEYWORDS = {"by", "on", "and", "or", "unless", "without", "ignoring", "group_left", "group_right", "offset", "bool"}
_RANGE = re.compile(r"\[[^\]]*\]")


def problems(expression: str, recorded: AbstractSet[str] = frozenset()) -> list[str]:
    """What the expression names that does not exist."""
    return [*_unknown_names(expression, recorded), *_unknown_labels(expression)]


def named(expression: str) -> set[str]:
    """Our series in the expression."""
    return {name for name, _ in _names(expression) if name in SERIES}


def _names(expression: str) -> Iterator[tuple[str, str]]:
    bare = _GROUPING.sub(" ", _RANGE.sub("", expression))
    for match in _NAME.finditer(bare):
        name = match[1]
        base = _SUFFIX.sub("", name)
        found = base if base in SERIES and SERIES[base].kind == "histogram" else name
        if name not in _KEYWORDS:
            yield found, match[2] or ""


def _unknown_names(expression: str, recorded: AbstractSet[str]) -> list[str]:
    return [name for name, _ in _names(expression) if name not in SERIES.keys() | FOREIGN | recorded]


def _unknown_labels(expression: str) -> list[str]:
    found = []
    for name, matchers in _names(expression):
        labels = {label.name: label.values for label in SERIES[name].labels} if name in SERIES else {}
        for label, value in _MATCHER.findall(matchers):
            if label in TARGET_LABELS or "$" in value:
                continue
            values = labels.get(label)
            if label not in labels or (values is not None and value not in {*values, "other"}):
                found.append(f'{name}{{{label}="{value}"}}')
    known = {label.name for series in CATALOGUE for label in series.labels} | TARGET_LABELS
    used = {word.strip() for group in _GROUPING.findall(expression) for word in group.split(",")}
    return [*found, *sorted(used - known - {""})]
