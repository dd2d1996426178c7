# ruff: noqa: INP001 - a program beside the files it makes, in no package
"""The panels of the dashboards: what each shows, and its queries.

Rules: a panel is a title, one sentence and its queries, listed in ``ROWS``; queries use only series of
``tamis.telemetry.catalogue`` and what ``deploy/prometheus/rules.yml`` records; no dashboard variable, so that every
query can be run as it stands (a test does) once Grafana's rate interval is put in.
"""

from __future__ import annotations

from dataclasses import dataclass

RATE = "[$__rate_interval]"


_UNUSUAL = "topk(3, max by (site, rule) (tamis_series_score))"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and what its lines are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        title: a few words.
        text: what it shows and what is healthy.
        queries: at least one.
        unit: Grafana's unit id.
        kind: "lines", "stack", "figure" or "list".
        width: of 24.
        limit: for a figure: from here on it is red.
    """

    title: str
    text: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "lines"
    width: int = 8
    limit: float | None = None


def _quantiles(series: str) -> tuple[Query, ...]:
    return tuple(
        Query(f"histogram_quantile({q}, sum by (role, le) (rate({series}_bucket{RATE})))", f"{{{{role}}}} p{q * 100:g}")
        for q in (0.5, 0.99)
    )


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    ("Now", (
        Panel(title="Events in", text="Events decided a second, all workers.", unit="cps", kind="figure", width=4,
              queries=(Query(f"sum(rate(tamis_events_total{RATE}))"),)),
        Panel(title="Unaccounted events", text="Records, audit leaves and outcomes disagree by so many; always 0.",
              queries=(Query("tamis:ledger_residual_events:max1h"),), kind="figure", width=4, limit=1),
        Panel(title="Consent age", text="Of the worker that knows least; intake waits above the bound.", unit="s",
              queries=(Query("max(tamis_consent_age_seconds)"),), kind="figure", width=4, limit=60),
        Panel(title="Intake waits", text="Workers whose gate is closed; 0 is healthy.", kind="figure", width=4, limit=1,
              queries=(Query("sum(max by (instance) (tamis_gate_closed))"),)),
        Panel(title="Open incidents", text="By severity.", kind="figure", width=4, limit=1,
              queries=(Query("sum by (severity) (tamis_incidents_open)", "{{severity}}"),)),
        Panel(title="Processes that answer", text="Of those Prometheus asks.", kind="figure", width=4,
              queries=(Query('sum(up{job="tamis"})', "up"), Query('count(up{job="tamis"})', "of"))),
    )),
    ("Events", (
        Panel(title="In = out", text="Leaves of the audit log and the sum of all outcomes: the same line twice.",
              unit="cps", queries=(Query(f"sum(rate(tamis_audit_leaves_total{RATE}))", "audit leaves"),
                                   Query(f"sum(rate(tamis_events_total{RATE}))", "outcomes"))),
        Panel(title="Outcomes", text="Each event has exactly one.", unit="cps", kind="stack",
              queries=(Query(f"sum by (outcome) (rate(tamis_events_total{RATE}))", "{{outcome}}"),)),
        Panel(title="Reasons", text="Why they were accepted, denied, refused.", unit="cps", kind="stack",
              queries=(Query(f"sum by (outcome, reason) (rate(tamis_events_total{RATE}))",
                             "{{outcome}}: {{reason}}"),)),
    )),
    ("Held events", (
        Panel(title="Waiting for a decision", text="First ten seconds, then up to five minutes; follows the traffic.",
              queries=(Query("sum by (topic) (tamis_held_pending_events)", "{{topic}}"),)),
        Panel(title="Decided again", text="Released, denied, or forwarded to wait for the last time.", unit="cps",
              kind="stack",
              queries=(Query(f"sum by (outcome, reason) (rate(tamis_held_decided_total{RATE}))",
                             "{{outcome}}: {{reason}}"),)),
        Panel(title="Release behind", text="Since when a partition of held events was not looked at; some seconds.",
              unit="s", queries=(Query("max(tamis_release_behind_seconds)", "behind"),)),
        Panel(title="First sights", text="Announcements of subjects without a record.", unit="cps",
              queries=(Query(f"sum(rate(tamis_first_sights_total{RATE}))", "announced"),)),
    )),
    ("Conversions", (
        Panel(title="Conversions accepted", text="By tagging rule.", unit="cps", width=12,
              queries=(Query(f'sum by (rule) (rate(tamis_rule_events_total{{outcome="accepted", rule!="-"}}{RATE}))',
                             "{{rule}}"),)),
        Panel(title="Conversions denied", text="By tagging rule: events somebody did not agree to share.", unit="cps",
              width=12,
              queries=(Query(f'sum by (rule) (rate(tamis_rule_events_total{{outcome="denied", rule!="-"}}{RATE}))',
                             "{{rule}}"),)),
    )),
    ("Facets", (
        Panel(title="By stage", text="Events decided, by the stage of their rule.", unit="cps", kind="stack",
              queries=(Query(f"sum by (stage) (rate(tamis_stage_events_total{RATE}))", "{{stage}}"),)),
        Panel(title="By channel", text="How visitors came, as far as an event tells.", unit="cps", kind="stack",
              queries=(Query(f"sum by (channel) (rate(tamis_channel_events_total{RATE}))", "{{channel}}"),)),
        Panel(title="By device", text="Device classes, from the user agent.", unit="cps", kind="stack",
              queries=(Query(f"sum by (device) (rate(tamis_device_events_total{RATE}))", "{{device}}"),)),
        Panel(title="Value", text="Of accepted conversions an hour, by tagging rule.", width=12,
              queries=(Query("sum by (rule) (rate(tamis_rule_value_total[1h])) * 3600", "{{rule}}"),)),
        Panel(title="Distinct subjects", text="About how many in the last closed minute, of the most frequent series.",
              width=12, queries=(Query("max by (site, rule) (tamis_series_subjects)", "{{site}}/{{rule}}"),)),
    )),
    ("Destinations", (
        Panel(title="Records sent", text="Written for each destination, in the transaction of their events.",
              unit="cps", width=12,
              queries=(Query(f"sum by (destination) (rate(tamis_records_sent_total{RATE}))", "{{destination}}"),)),
        Panel(title="Share of events", text="That each destination gets; falls when consent or rules change.",
              unit="percentunit", width=12,
              queries=(Query(f"sum by (destination) (rate(tamis_records_sent_total{RATE})) / on () group_left () "
                             f"(sum(rate(tamis_events_total{RATE})) > 0)", "{{destination}}"),)),
        Panel(title="Sent in the last hour", text="Records by destination.", kind="figure", width=24,
              queries=(Query("sum by (destination) (increase(tamis_records_sent_total[1h]))", "{{destination}}"),)),
    )),
    ("Rules", (
        Panel(title="Rules in use", text="Number of the pointer each worker follows; all the same but for a moment.",
              queries=(Query("tamis_rules_sequence", "{{instance}}"),
                       Query("sum(increase(tamis_rules_switches_total[1h]))", "switches an hour"))),
        Panel(title="Rules refused", text="Line at fault of the bundle published last; 0 is healthy.",
              queries=(Query("max by (part) (tamis_rules_refused_line)", "{{part}}"),
                       Query("max(tamis_rules_odd_records)", "records that do not count"))),
        Panel(title="Candidate", text="Events judged by a candidate too, and its verdicts that differ, by rule.",
              unit="cps", queries=(Query(f"sum(rate(tamis_shadow_events_total{RATE}))", "compared"),
                                   Query(f"sum by (rule, candidate_rule) (rate(tamis_shadow_differences_total{RATE}))",
                                         "{{rule}} -> {{candidate_rule}}"))),
    )),
    ("Streaming edge", (
        Panel(title="Throughput", text="Records of committed batches, by input topic.", unit="cps",
              queries=(Query(f"sum by (topic) (rate(tamis_records_total{RATE}))", "{{topic}}"),)),
        Panel(title="Lag", text="Records behind the end of each input topic, as of the last commits.",
              queries=(Query("tamis:lag_records:sum", "{{topic}}"),)),
        Panel(title="Partitions owned", text="All partitions of a topic should have an owner.",
              queries=(Query("sum by (topic) (tamis_partitions)", "{{topic}}"),)),
        Panel(title="Batch time", text="In the agent's hands.", unit="s", queries=_quantiles("tamis_batch_seconds")),
        Panel(title="Transaction time", text="To deliver outputs and commit; long means slow brokers.", unit="s",
              queries=_quantiles("tamis_transaction_seconds")),
        Panel(title="Batches and rebalances", text="Batches a second by role; group generations a minute.",
              queries=(Query(f"sum by (role) (rate(tamis_batches_total{RATE}))", "{{role}} batches/s"),
                       Query(f"sum by (role) (rate(tamis_generations_total{RATE})) * 60", "{{role}} generations/min"))),
    )),
    ("Consent", (
        Panel(title="Consent age", text="What each worker knows ends so long ago; above the bound intake waits.",
              unit="s", queries=(Query("tamis_consent_age_seconds", "{{instance}}"),
                                 Query("max(tamis_consent_age_bound_seconds)", "bound"))),
        Panel(title="Where the age comes from", text="Links of the chain from consent.raw to the worker.", unit="s",
              queries=(Query("max(tamis_consent_clock_lag_seconds)", "normaliser"),
                       Query("max(tamis_replica_age_seconds)", "replica"),
                       Query("max(tamis_consent_age_seconds)", "worker"))),
        Panel(title="Gate", text="1 while intake waits for this reason.",
              queries=(Query("max by (reason) (tamis_gate_closed)", "{{reason}}"),)),
        Panel(title="Consent changes", text="Canonical changes, subject records written, statements without effect.",
              unit="cps", width=12,
              queries=(Query(f"sum(rate(tamis_consent_changes_total{RATE}))", "changes"),
                       Query(f"sum(rate(tamis_subject_records_total{RATE}))", "subject records"),
                       Query(f"sum by (cause) (rate(tamis_consent_ignored_total{RATE}))", "ignored: {{cause}}"))),
        Panel(title="Replica", text="Rows applied and changed; records to go until it has caught up.", width=12,
              queries=(Query(f"sum(rate(tamis_replica_applied_total{RATE}))", "applied/s"),
                       Query(f"sum(rate(tamis_replica_changed_total{RATE}))", "changed/s"),
                       Query("sum(tamis_replica_behind_records)", "to go"))),
        Panel(title="Withdrawal in force", text="From the receipt of a refusal until no new batch lets anything out.",
              unit="s", queries=tuple(
                  Query(f"histogram_quantile({q}, sum by (le) "
                        f"(rate(tamis_withdrawal_enforcement_seconds_bucket{RATE})))", f"p{q * 100:g}")
                  for q in (0.5, 0.99))),
        Panel(title="Privacy requests", text="Requests taken in, by type, and records destroyed by erasures.",
              queries=(Query("sum by (type) (increase(tamis_privacy_requests_total[1h]))", "{{type}} an hour"),
                       Query("sum(increase(tamis_erasures_total[1h]))", "records erased an hour"))),
        Panel(title="Retractions", text="Records written to crm.retractions, by reason.", unit="cps",
              queries=(Query(f"sum by (reason) (rate(tamis_retractions_total{RATE}))", "{{reason}}"),)),
    )),
    ("Detection", (
        Panel(title="Open incidents", text="One line an incident; empty is healthy.", kind="list", width=12,
              queries=(Query("max by (site, rule, kind, severity, owner) (tamis_incident)"),)),
        Panel(title="Behind now", text="Minutes close when every source has passed them; healthy below 120 s.",
              unit="s", width=6,
              queries=(Query("max(tamis_windows_behind_seconds)", "closed minutes"),
                       Query("max(tamis_watermark_lag_seconds)", "slowest source"),
                       Query("max(tamis_intake_watermark_lag_seconds)", "intake"))),
        Panel(title="Windows and alerts", text="Written a minute.", width=6,
              queries=(Query(f"sum(rate(tamis_windows_closed_total{RATE})) * 60", "windows"),
                       Query(f"sum(rate(tamis_minutes_closed_total{RATE})) * 60", "minute ends"),
                       Query(f"sum by (state) (rate(tamis_alerts_total{RATE})) * 60", "alerts: {{state}}"))),
        Panel(title="Events a minute", text="Observed: the last closed minute of the most frequent series.", width=16,
              queries=(Query("max by (site, rule) (tamis_series_events)", "{{site}}/{{rule}}"),)),
        Panel(title="Source partitions", text="How far each is behind; one that stands still stops all minutes.",
              unit="s", queries=(Query("tamis:source_watermark_lag_seconds:min", "{{topic}}/{{partition}}"),)),
        Panel(title="Observed and expected", text="Events a minute of the three most unusual series, and the band of "
              "what is usual for them; incidents are marked.", width=16,
              queries=tuple(Query(f"max by (site, rule) ({series}) and on (site, rule) {_UNUSUAL}",
                                  f"{{{{site}}}}/{{{{rule}}}}: {name}")
                            for series, name in (("tamis_series_events", "observed"),
                                                 ("tamis_series_expected_events", "expected"),
                                                 ("tamis_series_low_events", "low"),
                                                 ("tamis_series_high_events", "high")))),
        Panel(title="Score", text="How unusual the last minute was; 0.5 opens an incident.",
              queries=(Query("max by (site, rule) (tamis_series_score)", "{{site}}/{{rule}}"),)),
        Panel(title="Incidents against their SLA", text="How long each is open; red once its owner's time is over.",
              unit="s", width=24,
              queries=(Query("max by (site, rule, owner) (tamis_incident_open_seconds)", "{{site}}/{{rule}}: open"),
                       Query("max by (site, rule, owner) (tamis_incident_sla_seconds)", "{{site}}/{{rule}}: SLA"))),
        Panel(title="Events in windows", text="Events in closed minutes follow the events decided.", unit="cps",
              width=24, queries=(Query("sum(rate(tamis_window_events_total[5m]))", "in closed minutes"),
                                 Query("sum(tamis:events:rate5m)", "decided"))),
    )),
    ("Audit evidence", (
        Panel(title="Sealed", text="Leaves under signed checkpoints follow the leaves written.", unit="cps", width=12,
              queries=(Query(f"sum by (log) (rate(tamis_sealer_leaves_total{RATE}))", "sealed: {{log}}"),
                       Query(f"sum(rate(tamis_audit_leaves_total{RATE}))", "written"),
                       Query(f"sum by (log) (rate(tamis_sealer_checkpoints_total{RATE}))", "checkpoints: {{log}}"))),
        Panel(title="Waiting to be sealed", text="Records not read yet, and the wait for a worker's key.", width=6,
              queries=(Query("max(tamis_sealer_lag_records)", "records"),
                       Query("max(tamis_sealer_key_wait_seconds)", "key wait, s"))),
        Panel(title="Refused logs", text="0 is healthy: a log that fails a check is not sealed.", width=6,
              queries=(Query("sum by (check) (tamis_sealer_refused)", "{{check}}"),
                       Query(f"sum by (kind) (rate(tamis_sealer_requests_total{RATE}))", "requests/s: {{kind}}"))),
        Panel(title="Witnesses and anchors", text="Waiting times are 0 when all is well, or when none are configured.",
              width=24, unit="s",
              queries=(Query("max(tamis_sealer_unwitnessed_seconds)", "without a quorum"),
                       Query("max(tamis_sealer_unanchored_seconds)", "without a timestamp"),
                       Query(f"sum by (answer) (rate(tamis_sealer_witness_answers_total{RATE}))", "{{answer}}/s"),
                       Query(f"sum by (result) (rate(tamis_sealer_anchors_total{RATE}))", "anchors/s: {{result}}"))),
    )),
    ("Quarantine", (
        Panel(title="Refused", text="Entries of events.quarantine, by source and reason.", unit="cps", kind="stack",
              width=16, queries=(Query(f"sum by (source, reason) (rate(tamis_quarantined_total{RATE}))",
                                       "{{source}}: {{reason}}"),)),
        Panel(title="Share of events", text="Above 5 % of all or 1 % by one producer somebody is told.",
              unit="percentunit", queries=(Query("tamis:quarantine:ratio5m", "invalid"),
                                           Query("tamis:quarantine:producer_ratio5m", "{{producer}}"))),
        Panel(title="By producer", text="SDK and version whose events cannot be used, and why.", unit="cps",
              kind="stack", width=16,
              queries=(Query(f"sum by (producer, reason) (rate(tamis_producer_quarantined_total{RATE}))",
                             "{{producer}}: {{reason}}"),)),
        Panel(title="Lists that are full", text="Events under `other` or in series not shown; raise "
              "telemetry.max_label_values.", unit="cps",
              queries=(Query(f"sum by (label) (rate(tamis_label_capped_total{RATE}))", "{{label}}"),)),
    )),
    ("Validation", (
        Panel(title="Violations", text="What is wrong with events by their rule; errors are quarantined.",
              unit="cps", kind="stack", width=12,
              queries=(Query(f"sum by (violation, severity) (rate(tamis_violations_total{RATE}))",
                             "{{violation}} ({{severity}})"),)),
        Panel(title="By producer", text="The producers whose events violate most.", unit="cps", width=12,
              queries=(Query(f"topk(10, sum by (producer) (rate(tamis_violations_total{RATE})))", "{{producer}}"),)),
        Panel(title="By rule", text="The rules whose events violate most.", unit="cps",
              queries=(Query(f"topk(10, sum by (rule) (rate(tamis_violations_total{RATE})))", "{{rule}}"),)),
        Panel(title="By site", text="Where they happen.", unit="cps",
              queries=(Query(f"sum by (site) (rate(tamis_violations_total{RATE}))", "{{site}}"),)),
        Panel(title="Bots", text="Events made by software, by how that shows and what follows.", unit="cps",
              queries=(Query(f"sum by (bot, action) (rate(tamis_bot_events_total{RATE}))", "{{bot}}: {{action}}"),)),
    )),
    ("Repeats", (
        Panel(title="Duplicates and conflicts", text="The same event id again on its partition: with the same content "
              "(not sent on) and with another one (quarantined).", unit="cps", width=8,
              queries=(Query(f'sum(rate(tamis_events_total{{outcome="duplicate"}}{RATE}))', "duplicates"),
                       Query(f'sum(rate(tamis_events_total{{outcome="conflict"}}{RATE}))', "conflicts"))),
        Panel(title="Ids remembered", text="Over all partitions, as of their last commits.",
              queries=(Query("sum(tamis_dedupe_events)", "ids"),)),
        Panel(title="How far back", text="Of the partition that remembers least; bytes of all tables.", unit="s",
              queries=(Query("min(tamis_dedupe_window_seconds > 0)", "window"),
                       Query("sum(tamis_dedupe_bytes) / 1e6", "MB"))),
    )),
    ("Spot checks", (
        Panel(title="Tagging error", text="Estimated from spot checks, with its 95 % interval and the target.",
              unit="percentunit", width=12,
              queries=(Query("max(tamis_tagging_error_ratio)", "error"),
                       Query("max(tamis_tagging_error_low_ratio)", "low"),
                       Query("max(tamis_tagging_error_high_ratio)", "high"),
                       Query("max(tamis_tagging_error_target_ratio)", "target"))),
        Panel(title="Error by rule", text="Share of answered samples that are tagged wrongly, and its upper end.",
              unit="percentunit", width=6,
              queries=(Query("max by (rule) (tamis_review_error_ratio)", "{{rule}}"),
                       Query("max by (rule) (tamis_review_error_high_ratio)", "{{rule}} at most"))),
        Panel(title="Samples", text="Drawn, and answered, by rule.", width=6,
              queries=(Query("max by (rule) (tamis_review_samples)", "{{rule}}"),
                       Query("max by (rule) (tamis_review_answers)", "{{rule}} answered"))),
    )),
    ("Processes", (
        Panel(title="Memory", text="Resident, by process; the replica counts the file it has mapped.", unit="bytes",
              queries=(Query('process_resident_memory_bytes{job="tamis"}', "{{instance}}"),)),
        Panel(title="CPU", text="Cores in use; a worker uses one at most.",
              queries=(Query(f'rate(process_cpu_seconds_total{{job="tamis"}}{RATE})', "{{instance}}"),)),
        Panel(title="What runs", text="Version, configuration and roles of each process.", kind="list",
              queries=(Query("tamis_worker_info"),)),
    )),
)  # fmt: skip
