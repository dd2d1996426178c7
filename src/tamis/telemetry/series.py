"""What a Prometheus series is here, and how a registry gets it.

Rules: a series has help text and only labels from closed sets; a value outside its set is counted as ``other``, so
nothing a sender writes, and no mistake of ours, can make a new series. A series appears in a registry when something of
its area is first used, with one sample for each value of a label that says ``preset``.
Not handled here: which series there are (``catalogue``), the endpoint.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OTHER = "other"
Kind = Literal["counter", "gauge", "histogram"]
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Buckets of every histogram of times."""
_MAKERS: Mapping[str, Any] = {"counter": Counter, "gauge": Gauge}


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A label and its closed set.

    Attributes:
        name: as in Prometheus.
        values: the set, or None when it comes from the configuration (see ``Vocabulary``).
        of: the set in words, for the documents.
        preset: samples of all values are there from the start, at 0.
        capped: whoever fills it sees to it that its values are harmless and few (``counts.CappedLabel``).
    """

    name: str
    values: tuple[str, ...] | None = None
    of: str
    preset: bool = False
    capped: bool = False


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One series.

    Attributes:
        name: full name, ``tamis_<noun>_total``, ``_seconds``...
        kind: of Prometheus.
        area: whose it is; a heading of the reference.
        help: one sentence: what is counted or measured, and its unit.
        labels: in order.
        buckets: upper bounds of a histogram, in the unit of the name.
    """

    name: str
    kind: Kind
    area: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()


class Definitions:
    """Collects the series of one file, in order.

    Attributes:
        made: those defined so far.
    """

    def __init__(self) -> None:
        self.made: list[Series] = []

    def define(self, area: str, kind: Kind, name: str, text: str, *labels: Label) -> Series:
        """A series ``tamis_<name>``; a histogram is one of times."""
        buckets = SECONDS if kind == "histogram" else ()
        made = Series(name=f"tamis_{name}", kind=kind, area=area, help=text, labels=labels, buckets=buckets)
        self.made.append(made)
        return made


class _Anything(frozenset[str]):
    __slots__ = ()

    def __contains__(self, value: object) -> bool:
        return True


_ANY = _Anything()


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The closed sets that the configuration gives, by label name.

    Attributes:
        rule: ids of the tagging rules, and "-" for none.
        candidate_rule: likewise, of a candidate bundle.
        destination: ids of destinations, and "-" for none.
        site: labels of the sites, "-" for none.
        owner: teams that own rules.
        producer: those that have a value of their own so far (``telemetry.validation``).
        version: of the package that runs.
        bundle: hash of the active configuration.
        roles: what this process does, joined by "+".
    """

    rule: frozenset[str] = frozenset()
    candidate_rule: frozenset[str] = frozenset()
    destination: frozenset[str] = frozenset()
    site: frozenset[str] = frozenset()
    owner: frozenset[str] = frozenset()
    producer: frozenset[str] = frozenset()
    version: frozenset[str] = frozenset()
    bundle: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def joined(self, other: "Vocabulary") -> "Vocabulary":
        """The sets of both: series of a configuration that was used before stay."""
        names = self.__struct_fields__
        return Vocabulary(**{name: getattr(self, name) | getattr(other, name) for name in names})

    def values(self, label: Label) -> frozenset[str]:
        """The set of a label.

        Raises:
            AttributeError: neither the label nor the configuration gives one.
        """
        if label.values is not None:
            return frozenset(label.values)
        if label.capped:
            return _ANY
        found: frozenset[str] = getattr(self, label.name)
        return found


class Family:
    """A series in a registry.

    Args:
        series: its definition.
        vocabulary: sets from the configuration.
        registry: where it is registered.
    """

    __slots__ = ("_allowed", "_children", "_labels", "metric")

    def __init__(self, series: Series, vocabulary: Vocabulary, registry: CollectorRegistry) -> None:
        names = [label.name for label in series.labels]
        if series.kind == "histogram":
            self.metric: Any = Histogram(series.name, series.help, names, registry=registry, buckets=series.buckets)
        else:
            self.metric = _MAKERS[series.kind](series.name, series.help, names, registry=registry)
        self._labels = series.labels
        self.extend(vocabulary)
        self._children: dict[tuple[str, ...], Any] = {}
        if series.labels and all(label.preset for label in series.labels):
            for values in product(*(sorted(allowed) for allowed in self._allowed)):
                self.of(*values)

    def extend(self, vocabulary: Vocabulary) -> None:
        """Takes the sets of another configuration."""
        self._allowed = [vocabulary.values(label) for label in self._labels]

    def of(self, *values: str) -> Any:
        """The sample with these label values, in the order of the definition; unknown ones are ``other``."""
        child = self._children.get(values)
        if child is None:
            known = self._bounded(values)
            child = self._children.get(known)
            if child is None:
                child = self._children[known] = self.metric.labels(*known) if known else self.metric
        return child

    def show_only(self, samples: Iterable[tuple[str, ...]]) -> None:
        """1 for each of these label values, and no other samples; those that stay are never away."""
        wanted = {self._bounded(values) for values in samples}
        for gone in self._children.keys() - wanted:
            self.metric.remove(*gone)
            del self._children[gone]
        for values in wanted:
            self.of(*values).set(1)

    def drop(self, *values: str) -> None:
        """Removes the sample with these label values, if there is one."""
        known = self._bounded(values)
        for spoken in [spoken for spoken in self._children if self._bounded(spoken) == known]:
            del self._children[spoken]
            if spoken == known:
                self.metric.remove(*known)

    def forget(self, name: str, value: str) -> None:
        """Removes all samples in which the label ``name`` has this value."""
        place = next(place for place, label in enumerate(self._labels) if label.name == name)
        for values in [values for values in self._children if values[place] == value]:
            self.drop(*values)

    def _bounded(self, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(v if v in allowed else OTHER for v, allowed in zip(values, self._allowed, strict=True))


class Shelf:
    """The series of one process, registered when first asked for.

    Args:
        registry: of this process; nothing is registered globally.
        vocabulary: sets from the configuration.
    """

    def __init__(self, registry: CollectorRegistry, vocabulary: Vocabulary) -> None:
        self.registry = registry
        self._vocabulary = vocabulary
        self._families: dict[str, Family] = {}

    def __getitem__(self, series: Series) -> Family:
        """The series in this registry."""
        family = self._families.get(series.name)
        if family is None:
            family = self._families[series.name] = Family(series, self._vocabulary, self.registry)
        return family

    def extend(self, vocabulary: Vocabulary) -> None:
        """Adds the label values of another configuration to those there are."""
        self._vocabulary = self._vocabulary.joined(vocabulary)
        for family in self._families.values():
            family.extend(self._vocabulary)
