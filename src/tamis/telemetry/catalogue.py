"""Every Prometheus series of tamis, defined once: name, help, labels, buckets.

Rules: names begin with ``tamis_`` and end in their unit; labels come from closed sets only, never from what senders
write; docs/metrics.md, the dashboards and the alert rules are checked against this list.
Besides these, each process exports the ``process_*`` series of the Prometheus client (CPU, memory, start time).
"""

from tamis.domain.audit.report import Check
from tamis.domain.audit.witness import Split, Trouble
from tamis.domain.outcome import InvalidReason, Outcome, Reason
from tamis.records.topics import Topic
from tamis.telemetry.counts_series import COUNTS_SERIES
from tamis.telemetry.held_series import HELD_SERIES
from tamis.telemetry.privacy_series import PRIVACY_SERIES
from tamis.telemetry.review_series import REVIEW_SERIES
from tamis.telemetry.rules_series import RULES_SERIES
from tamis.telemetry.series import Definitions, Label, Series
from tamis.telemetry.validation_series import VALIDATION_SERIES

PROCESS, EDGE, INTAKE = "Processes", "Streaming edge", "Intake"
CONSENT, REPLICA, WINDOWS, INCIDENTS, SEALER = "Consent", "Consent replica", "Windows", "Incidents", "Sealer"

GATE_REASONS = (
    "no_replica", "replica_not_caught_up", "consent_age_unknown", "consent_too_old", "consent_clock_ahead",
    "rules_not_loaded", "quarantine_ratio",
)  # fmt: skip
FAULTS = (
    "AuditRefusedError",
    "FaustError",
    "InvalidProducerEpoch",
    "KafkaConnectionError",
    "KafkaTimeoutError",
    "LateCellError",
    "MessageSizeTooLargeError",
    "NodeNotReadyError",
    "OutOfOrderSequenceNumber",
    "ProducerFenced",
    "ReadTimeoutError",
    "ReplicaDamagedError",
    "UnknownTopicOrPartitionError",
)

_role = Label(name="role", values=("intake", "consent", "release", "metrics", "anomaly"), of="the roles of a worker")
_topic = Label(
    name="topic",
    values=(
        Topic.EVENTS_RAW, Topic.CONSENT_RAW, Topic.CONSENT_CHANGES, Topic.EVENTS_HELD, Topic.EVENTS_HELD_LAST,
        Topic.METRICS_PARTIALS, Topic.METRICS_WINDOWS, Topic.PRIVACY_REQUESTS,
    ),
    of="the input topics, without prefix",
)  # fmt: skip
_outcome = Label(name="outcome", values=tuple(Outcome), of="the six outcomes")
_reason = Label(
    name="reason", values=tuple(dict.fromkeys((*Reason, *InvalidReason))), of="reasons of decisions and of refusals"
)
_rule = Label(name="rule", of="rule ids of the configuration, `-` for none")
_site = Label(name="site", of="site labels of the policy, `other`, `-` for none")
SEVERITIES = ("page", "ticket")


_defined = Definitions()
_series = _defined.define

WORKER_INFO = _series(
    PROCESS,
    "gauge",
    "worker_info",
    "Always 1: which version runs, with which configuration, as what.",
    Label(name="version", of="the version of the package"),
    Label(name="bundle", of="hash of the active configuration, empty for the replica"),
    Label(name="roles", of="roles of the process joined by `+`, or `replica`"),
)
FATAL = _series(
    PROCESS,
    "counter",
    "fatal_total",
    "Faults that are ending the process; it may be gone before the next scrape, so look at its start time as well.",
    Label(name="kind", values=FAULTS, of="class names of faults"),
)

BATCHES = _series(EDGE, "counter", "batches_total", "Batches committed, empty ones among them.", _role, _topic)
RECORDS = _series(EDGE, "counter", "records_total", "Records of committed batches.", _role, _topic)
BATCH_SECONDS = _series(EDGE, "histogram", "batch_seconds", "Time a batch was in the agent's hands.", _role, _topic)
TRANSACTION_SECONDS = _series(
    EDGE, "histogram", "transaction_seconds", "Time to deliver a batch's outputs and commit.", _role, _topic
)
LAG = _series(
    EDGE,
    "gauge",
    "lag_records",
    "Records between the committed offset and the end, over the partitions this process owns, as of their last commit.",
    _role,
    _topic,
)
PARTITIONS = _series(EDGE, "gauge", "partitions", "Partitions this process owns.", _role, _topic)
GENERATIONS = _series(EDGE, "counter", "generations_total", "Group generations (rebalances) seen.", _role)
GATE = _series(
    EDGE,
    "gauge",
    "gate_closed",
    "1 while intake waits for this reason, else 0.",
    Label(name="reason", values=GATE_REASONS, of="why: consent not fresh, no rules yet, too much refused", preset=True),
)

EVENTS = _series(INTAKE, "counter", "events_total", "Events decided, by outcome and reason.", _outcome, _reason)
RULE_EVENTS = _series(
    INTAKE,
    "counter",
    "rule_events_total",
    "Events decided, by tagging rule and site.",
    _rule,
    _site,
    _outcome,
)
QUARANTINED = _series(
    INTAKE, "counter", "quarantined_total", "Entries written to `events.quarantine`.",
    Label(name="source", values=(Topic.EVENTS_RAW, Topic.CONSENT_RAW, Topic.PRIVACY_REQUESTS),
          of="the topic the input came from"),
    Label(name="reason", values=tuple(InvalidReason), of="why it could not be used"),
)  # fmt: skip
LEAVES = _series(INTAKE, "counter", "audit_leaves_total", "Leaves written to `audit.log`.")
RESIDUAL = _series(
    INTAKE,
    "gauge",
    "ledger_residual_events",
    "Disagreement between records read, leaves written and outcomes counted, summed over committed batches; always 0.",
)
REMEMBERED_IDS = _series(
    INTAKE,
    "gauge",
    "dedupe_events",
    "Event ids remembered on the owned partitions of `events.raw`, as of their last commit.",
)
REMEMBERED_BYTES = _series(
    INTAKE, "gauge", "dedupe_bytes", "Bytes of the tables of remembered ids (files mapped into memory)."
)
REMEMBERED_WINDOW = _series(
    INTAKE,
    "gauge",
    "dedupe_window_seconds",
    "How far back the owned partition that remembers least reaches; below `dedupe.window_h` when its bound cut it.",
)
INTAKE_BEHIND = _series(
    INTAKE,
    "gauge",
    "intake_watermark_lag_seconds",
    "How far the slowest owned partition of `events.raw` is behind now; an idle one keeps up by empty batches.",
)

_defined.made.extend(PRIVACY_SERIES + RULES_SERIES + HELD_SERIES + VALIDATION_SERIES)

CONSENT_AGE = _series(
    CONSENT,
    "gauge",
    "consent_age_seconds",
    "Time up to now in which consent given may be unknown to this worker; +Inf while any part is unknown.",
)
CONSENT_BOUND = _series(
    CONSENT, "gauge", "consent_age_bound_seconds", "The setting `consent.max_age_s`: above it intake waits."
)
CONSENT_CHANGES = _series(CONSENT, "counter", "consent_changes_total", "Canonical changes written.")
CONSENT_IGNORED = _series(
    CONSENT,
    "counter",
    "consent_ignored_total",
    "Statements of `consent.raw` that change nothing.",
    Label(
        name="cause",
        values=("unknown_regulation", "no_subject", "unknown_category", "undated_grant"),
        of="why they change nothing",
    ),
)
CONSENT_BEHIND = _series(
    CONSENT,
    "gauge",
    "consent_clock_lag_seconds",
    "How far the slowest owned partition of `consent.raw` is behind now: the first part of the consent age.",
)
SUBJECTS = _series(CONSENT, "counter", "subject_records_total", "Subject records written to `consent.state`.")

REPLICA_APPLIED = _series(REPLICA, "counter", "replica_applied_total", "Rows of `consent.state` applied.")
REPLICA_CHANGED = _series(REPLICA, "counter", "replica_changed_total", "Subject records changed or deleted.")
REPLICA_BEHIND = _series(
    REPLICA, "gauge", "replica_behind_records", "Offsets to go to where the topic ended at the start; 0 = caught up."
)
REPLICA_AGE = _series(
    REPLICA,
    "gauge",
    "replica_age_seconds",
    "Consent age as the replica process sees it; +Inf while any part is unknown.",
)

MINUTES = _series(WINDOWS, "counter", "minutes_closed_total", "Minutes closed, each in every partition of `metrics.*`.")
WINDOWS_CLOSED = _series(WINDOWS, "counter", "windows_closed_total", "One-minute windows written, one a series.")
WINDOW_EVENTS = _series(
    WINDOWS, "counter", "window_events_total", "Events in closed minutes; follows `tamis_events_total`."
)
WATERMARK_LAG = _series(
    WINDOWS,
    "gauge",
    "watermark_lag_seconds",
    "How far the slowest source known to the window agent is behind now.",
)
WINDOWS_BEHIND = _series(
    WINDOWS,
    "gauge",
    "windows_behind_seconds",
    "Time since the end of the last closed minute, the slowest owned partition; healthy below 120.",
)

INCIDENTS_OPEN = _series(
    INCIDENTS,
    "gauge",
    "incidents_open",
    "Incidents now open, by severity.",
    Label(name="severity", values=SEVERITIES, of="how urgent", preset=True),
)
INCIDENT = _series(
    INCIDENTS,
    "gauge",
    "incident",
    "1 for each incident now open; the sample goes when it closes.",
    _site,
    _rule,
    Label(name="kind", values=("drop", "spike", "silent", "absent"), of="what is wrong with the counts"),
    Label(name="severity", values=SEVERITIES, of="how urgent"),
    Label(name="owner", of="the teams named by the rules, empty for none"),
)
ALERTS = _series(
    INCIDENTS,
    "counter",
    "alerts_total",
    "Records written to `alerts`.",
    Label(name="state", values=("open", "updated", "closed"), of="what became of the incident"),
)

_LOGS = (Topic.AUDIT_LOG, Topic.AUDIT_HELD, Topic.AUDIT_HELD_LAST, Topic.AUDIT_CONTROL)
_log = Label(name="log", values=_LOGS, of="topics of logs, without prefix")
SEALED_LEAVES = _series(SEALER, "counter", "sealer_leaves_total", "Leaves under a checkpoint that was signed.", _log)
CHECKPOINTS = _series(SEALER, "counter", "sealer_checkpoints_total", "Checkpoints signed and published.", _log)
SEALER_BEHIND = _series(
    SEALER,
    "gauge",
    "sealer_lag_records",
    "Records of the audit logs that the sealer has not read, refused logs left out.",
)
SEALER_WAITING = _series(
    SEALER, "gauge", "sealer_key_wait_seconds", "How long a batch has waited for the registration of its worker's key."
)
SEALER_REFUSED = _series(
    SEALER,
    "gauge",
    "sealer_refused",
    "Logs that are not sealed any further because this check failed; 0 unless somebody must look.",
    Label(name="check", values=tuple(Check), of="the checks of an audit log"),
)
SEALER_REQUESTS = _series(
    SEALER,
    "counter",
    "sealer_requests_total",
    "Requests taken in and words of the sealer's own, by kind.",
    Label(
        name="kind",
        values=(
            "worker-key", "worker-key-revoked", "epoch", "quarantine-look", "erasure", "bundle", "sealer-key",
            "sealer-key-revoked", "incident", "ignored", "refused",
        ),
        of="kinds of requests",
    ),
)  # fmt: skip
WITNESS_ANSWERS = _series(
    SEALER, "counter", "sealer_witness_answers_total", "What witnesses answered; rollback, fork: somebody must look.",
    Label(name="answer", values=("cosigned", *Split, *Trouble), of="answers of witnesses"),
)  # fmt: skip
UNWITNESSED = _series(
    SEALER, "gauge", "sealer_unwitnessed_seconds", "How long the oldest checkpoint without a quorum of witnesses waits."
)
ANCHORS = _series(
    SEALER, "counter", "sealer_anchors_total", "Anchors, stamped or not to be had.",
    Label(name="result", values=("stamped", "failed"), of="results of asking timestamp authorities"),
)  # fmt: skip
UNANCHORED = _series(
    SEALER, "gauge", "sealer_unanchored_seconds", "How long no timestamp authority has stamped an anchor that is due."
)

CATALOGUE: tuple[Series, ...] = (*_defined.made, *COUNTS_SERIES, *REVIEW_SERIES)
