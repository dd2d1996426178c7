"""The series about rules: which bundle runs, what was refused, what a candidate would change."""

from functools import partial

from tamis.domain.outcome import Outcome, Reason
from tamis.telemetry.series import Definitions, Label, Series

REFUSED_PARTS = ("rules", "destinations", "policy", "bundle", "topics")
VERDICTS = tuple(dict.fromkeys([*map(str, Reason), *map(str, Outcome)]))
_defined = Definitions()
_series = partial(_defined.define, "Rules")

RULES_SEQUENCE = _series(
    "gauge",
    "rules_sequence",
    "Number of the pointer in the topic `rules` that is followed; 0: a folder.",
)
RULES_REFUSED = _series(
    "gauge",
    "rules_refused_line",
    "Line at fault of the bundle that was published last and is not used, 0 while there is none.",
    Label(name="part", values=REFUSED_PARTS, of="the file of the bundle, or what else is wrong with it", preset=True),
)
RULES_SWITCHES = _series("counter", "rules_switches_total", "Times this worker went on with another bundle.")
RULES_ODD = _series(
    "gauge", "rules_odd_records", "Records of the topic `rules` that do not count: not signed, or not in turn."
)
SHADOW_EVENTS = _series("counter", "shadow_events_total", "Events judged by a candidate bundle as well.")
SHADOW_DIFFERENCES = _series(
    "counter",
    "shadow_differences_total",
    "Verdicts of a candidate that differ from those of the active bundle, one a destination of an event.",
    Label(name="rule", of="rule ids of the configuration, `-` for none"),
    Label(name="candidate_rule", of="rule ids of the candidate, `-` for none"),
    Label(name="destination", of="ids of destinations, `-` when only rule or stage differ"),
    Label(name="verdict", values=(*VERDICTS, "-"), of="reasons, or outcomes when only rule or stage differ"),
    Label(name="candidate_verdict", values=(*VERDICTS, "-"), of="likewise, of the candidate"),
)

RULES_SERIES: tuple[Series, ...] = tuple(_defined.made)
