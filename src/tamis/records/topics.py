"""Every topic tamis reads or writes, declared once: name, who partitions it, retention policy.

Names carry the prefix from settings. ``partitions`` says which count applies: "raw" (= P, that of ``events.raw``),
"metrics" (M), "any" (free, chosen by the operator) or "one".
"""

from enum import StrEnum

import msgspec


class Topic(StrEnum):
    """Fixed topic names; ``crm.<destination>`` names come from the configuration."""

    EVENTS_RAW = "events.raw"
    CONSENT_RAW = "consent.raw"
    CONSENT_CHANGES = "consent.changes"
    CONSENT_STATE = "consent.state"
    PRIVACY_REQUESTS = "privacy.requests"
    EVENTS_CLEAN = "events.clean"
    EVENTS_HELD = "events.held"
    EVENTS_HELD_LAST = "events.held.last"
    CRM_RETRACTIONS = "crm.retractions"
    EVENTS_QUARANTINE = "events.quarantine"
    QUARANTINE_REPLAYS = "quarantine.replays"
    INTAKE_CONTROL = "intake.control"
    REVIEW_SAMPLES = "review.samples"
    REVIEW_LABELS = "review.labels"
    DEDUPE_LOG = "dedupe.log"
    AUDIT_LOG = "audit.log"
    AUDIT_HELD = "audit.held"
    AUDIT_HELD_LAST = "audit.held.last"
    AUDIT_CHECKPOINTS = "audit.checkpoints"
    AUDIT_CONTROL = "audit.control"
    AUDIT_REQUESTS = "audit.requests"
    METRICS_PARTIALS = "metrics.partials"
    METRICS_OPEN = "metrics.open"
    METRICS_WINDOWS = "metrics.windows"
    METRICS_ROLLUPS = "metrics.rollups"
    METRICS_PUBLIC = "metrics.public"
    REVIEW_LATE = "review.late"
    METRICS_STATE = "metrics.state"
    ALERTS = "alerts"
    RULES = "rules"
    RULES_SHADOW = "rules.shadow"


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic must be like.

    Attributes:
        name: without prefix.
        partitions: "raw", "metrics", "any" or "one".
        config: Kafka topic configs that are checked and set.
        role: "input" (others write it), "output", "internal".
    """

    name: str
    partitions: str
    config: dict[str, str]
    role: str


HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_COMPACT = {"cleanup.policy": "compact", "segment.ms": str(HOUR_MS), "min.cleanable.dirty.ratio": "0.1"}


def _delete(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


_CLEAN = {"unclean.leader.election.enable": "false"}
_UNLIMITED = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"} | _CLEAN

CATALOGUE: tuple[TopicSpec, ...] = (
    TopicSpec(name=Topic.EVENTS_RAW, partitions="raw", role="input",
              config=_delete(3) | {"max.message.bytes": str(16 << 20)}),
    TopicSpec(name=Topic.CONSENT_RAW, partitions="any", role="input", config=_delete(7)),
    TopicSpec(name=Topic.CONSENT_CHANGES, partitions="raw", role="internal", config=_delete(30)),
    TopicSpec(name=Topic.CONSENT_STATE, partitions="raw", role="internal",
              config=_COMPACT | {"max.compaction.lag.ms": str(DAY_MS)}),  # what was erased is gone from disk then
    TopicSpec(name=Topic.PRIVACY_REQUESTS, partitions="any", role="input", config=_delete(7)),
    TopicSpec(name=Topic.EVENTS_CLEAN, partitions="raw", role="output", config=_delete(7)),
    TopicSpec(name=Topic.EVENTS_HELD, partitions="raw", role="internal", config=_delete(3)),
    TopicSpec(name=Topic.EVENTS_HELD_LAST, partitions="raw", role="internal", config=_delete(3)),
    TopicSpec(name=Topic.CRM_RETRACTIONS, partitions="raw", role="output", config=_delete(30)),
    TopicSpec(name=Topic.EVENTS_QUARANTINE, partitions="raw", role="output", config=_delete(14)),
    TopicSpec(name=Topic.QUARANTINE_REPLAYS, partitions="one", role="internal", config=_UNLIMITED),
    TopicSpec(name=Topic.INTAKE_CONTROL, partitions="one", role="internal", config=_COMPACT),
    TopicSpec(name=Topic.REVIEW_SAMPLES, partitions="one", role="output", config=_delete(90)),
    TopicSpec(name=Topic.REVIEW_LABELS, partitions="one", role="input", config=_delete(90)),
    TopicSpec(name=Topic.DEDUPE_LOG, partitions="raw", role="internal", config=_delete(8)),
    TopicSpec(name=Topic.AUDIT_LOG, partitions="raw", role="output", config=_delete(30) | _CLEAN),
    TopicSpec(name=Topic.AUDIT_HELD, partitions="raw", role="output", config=_delete(30) | _CLEAN),
    TopicSpec(name=Topic.AUDIT_HELD_LAST, partitions="raw", role="output", config=_delete(30) | _CLEAN),
    TopicSpec(name=Topic.AUDIT_CHECKPOINTS, partitions="one", role="output", config=_UNLIMITED),
    TopicSpec(name=Topic.AUDIT_CONTROL, partitions="one", role="output", config=_UNLIMITED),
    TopicSpec(name=Topic.AUDIT_REQUESTS, partitions="one", role="internal", config=_UNLIMITED),
    TopicSpec(name=Topic.METRICS_PARTIALS, partitions="metrics", role="internal", config=_delete(3)),
    TopicSpec(name=Topic.METRICS_OPEN, partitions="metrics", role="internal", config=_COMPACT),
    TopicSpec(name=Topic.METRICS_WINDOWS, partitions="metrics", role="internal", config=_delete(60)),
    TopicSpec(name=Topic.METRICS_ROLLUPS, partitions="metrics", role="output", config=_delete(400)),
    TopicSpec(name=Topic.METRICS_PUBLIC, partitions="metrics", role="output", config=_delete(400)),
    TopicSpec(name=Topic.REVIEW_LATE, partitions="raw", role="output", config=_delete(30)),
    TopicSpec(name=Topic.METRICS_STATE, partitions="metrics", role="internal", config=_COMPACT),
    TopicSpec(name=Topic.ALERTS, partitions="one", role="output", config={"cleanup.policy": "compact,delete"}),
    TopicSpec(name=Topic.RULES, partitions="one", role="internal",
              config=_COMPACT | {"max.message.bytes": str(16 << 20)}),
    TopicSpec(name=Topic.RULES_SHADOW, partitions="raw", role="output", config=_delete(7)),
)  # fmt: skip


def crm_topic(destination: str) -> TopicSpec:
    """The topic of one CRM destination, ``crm.<destination>``."""
    return TopicSpec(name=f"crm.{destination}", partitions="raw", role="output", config=_delete(7))
