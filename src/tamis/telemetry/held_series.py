"""The series about held events: how many wait, for how long release has stood still, what became of them."""

from functools import partial

from tamis.domain.outcome import HeldOutcome, Reason
from tamis.records.topics import Topic
from tamis.telemetry.series import Definitions, Label, Series

_defined = Definitions()
_series = partial(_defined.define, "Held events")

_topic = Label(
    name="topic", values=(Topic.EVENTS_HELD, Topic.EVENTS_HELD_LAST), of="where they wait, first and last", preset=True
)
HELD_PENDING = _series(
    "gauge",
    "held_pending_events",
    "Events that wait for a decision (offsets behind the committed one), over the partitions this process owns.",
    _topic,
)
HELD_DECIDED = _series(
    "counter",
    "held_decided_total",
    "Held events decided again; `forwarded` ones wait on and are decided once more.",
    Label(name="outcome", values=tuple(HeldOutcome), of="what became of them"),
    Label(name="reason", values=tuple(Reason), of="reasons of decisions"),
)
RELEASE_BEHIND = _series(
    "gauge", "release_behind_seconds", "Since when the slowest owned partition of held events was not looked at."
)
FIRST_SIGHTS = _series(
    "counter",
    "first_sights_total",
    "Subjects without a record that were announced, one a batch and subject until their record is known.",
)

HELD_SERIES: tuple[Series, ...] = tuple(_defined.made)
