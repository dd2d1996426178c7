"""The series of what events are counted by: facets, producers, values, subjects, destinations."""

from tamis.domain.counts.channel import CHANNELS
from tamis.domain.counts.device import DEVICES
from tamis.domain.outcome import InvalidReason, Outcome
from tamis.records.topics import Topic
from tamis.telemetry.series import Definitions, Label, Series

STAGES = ("-", "awareness", "consideration", "intent", "purchase", "retention")
_defined = Definitions()
_series = _defined.define

_outcome = Label(name="outcome", values=tuple(Outcome), of="the six outcomes")
_rule = Label(name="rule", of="rule ids of the configuration, `-` for none")
_site = Label(name="site", of="site labels of the policy, `other`, `-` for none")

STAGE_EVENTS = _series(
    "Intake",
    "counter",
    "stage_events_total",
    "Events decided, by the stage of their rule.",
    Label(name="stage", values=STAGES, of="stages of rules, `-` without a rule"),
    _outcome,
)
CHANNEL_EVENTS = _series(
    "Intake",
    "counter",
    "channel_events_total",
    "Events decided, by the channel through which the visitor came.",
    Label(name="channel", values=CHANNELS, of="channels, grouped as Google Analytics does; `-` when nothing tells"),
    _outcome,
)
DEVICE_EVENTS = _series(
    "Intake",
    "counter",
    "device_events_total",
    "Events decided, by device class.",
    Label(name="device", values=DEVICES, of="device classes, `-` when nothing tells"),
    _outcome,
)
RULE_VALUE = _series(
    "Intake",
    "counter",
    "rule_value_total",
    "Sum of the values of accepted conversions; negative ones are left out.",
    _rule,
)
PRODUCER_QUARANTINED = _series(
    "Intake",
    "counter",
    "producer_quarantined_total",
    "Events quarantined, by SDK and version that made them.",
    Label(name="producer", capped=True, of="SDK and versions in words of `domain/producer.py`, `-` when nothing tells"),
    Label(name="reason", values=tuple(dict.fromkeys((*InvalidReason, Outcome.CONFLICT))), of="why it was quarantined"),
)
SENT = _series(
    "Intake",
    "counter",
    "records_sent_total",
    "Records written for a destination.",
    Label(name="destination", of="ids of destinations"),
)
LABEL_CAPPED = _series(
    "Intake",
    "counter",
    "label_capped_total",
    "Events counted as `other` because the list of a label's values is full (`telemetry.max_label_values`).",
    Label(
        name="label", values=("producer", "series"), of="labels whose values are the most frequent ones", preset=True
    ),
)
SERIES_EVENTS = _series(
    "Windows",
    "gauge",
    "series_events",
    "Events of a series in the last closed minute; of the most frequent series only.",
    _site,
    _rule,
)
SERIES_SUBJECTS = _series(
    "Windows",
    "gauge",
    "series_subjects",
    "About how many distinct subjects a series had in the last closed minute; of the most frequent series only.",
    _site,
    _rule,
)
SERIES_EXPECTED = _series(
    "Windows",
    "gauge",
    "series_expected_events",
    "Events a minute that the detector of a series expects now; of the most frequent series only.",
    _site,
    _rule,
)
SERIES_LOW = _series(
    "Windows", "gauge", "series_low_events", "Lower bound of what is usual for the series now.", _site, _rule
)
SERIES_HIGH = _series(
    "Windows", "gauge", "series_high_events", "Upper bound of what is usual for the series now.", _site, _rule
)
SERIES_SCORE = _series(
    "Windows", "gauge", "series_score", "How unusual the last minute of the series was, 0 to 1; 0.5 opens an incident.",
    _site, _rule,
)  # fmt: skip
SOURCE_LAG = _series(
    "Windows",
    "gauge",
    "source_watermark_lag_seconds",
    "How far each source partition is behind now, as the window agent knows it; a partition that stands still grows.",
    Label(
        name="topic", values=(Topic.EVENTS_RAW, "events.held", "events.held.last"), of="topics whose events are counted"
    ),
    Label(name="partition", values=tuple(map(str, range(1_024))), of="partition numbers"),
)
INCIDENT_OPEN = _series(
    "Incidents",
    "gauge",
    "incident_open_seconds",
    "How long an incident has been open.",
    _site,
    _rule,
    Label(name="owner", of="the teams named by the rules, empty for none"),
)
INCIDENT_SLA = _series(
    "Incidents",
    "gauge",
    "incident_sla_seconds",
    "Within what time its rule's owner wants an open incident repaired (the rule's `sla`).",
    _site,
    _rule,
    Label(name="owner", of="the teams named by the rules, empty for none"),
)

COUNTS_SERIES: tuple[Series, ...] = tuple(_defined.made)
