"""Checked configuration values to the compiled types of the domain.

Rules: nothing is checked here; a value that does not fit is a fault. Defaults are those of the domain types.
"""

from collections.abc import Mapping
from typing import Any

from tamis.bundles.durations import milliseconds
from tamis.bundles.session_check import RAW, uses_session
from tamis.domain.bundle import Destination
from tamis.domain.conditions import both, compile_condition
from tamis.domain.conversion import compile_value
from tamis.domain.event import Event
from tamis.domain.minimise.projection import DROP, Field, compile_projection, veiled
from tamis.domain.paths import required_path
from tamis.domain.property_schema import compile_schema
from tamis.domain.rules import Cap, CompiledRule, Experiment, Predicate, Rule, Trigger
from tamis.domain.violations import no_violations

Values = Mapping[str, Any]
NOT_EXPECTED = "none"


def compile_rule(values: Values) -> CompiledRule:
    """One rule."""
    match = values["match"]
    cap = Cap(**values["cap"]) if "cap" in values else None
    under = None if cap is None else _under(values["id"], cap)
    alternatives = match if isinstance(match, list) else [match]
    triggers = tuple(_trigger(way, under) for way in alternatives)
    in_session = cap is not None or any(uses_session(way.get("when")) for way in alternatives)
    expected_by = values.get("expected_by", NOT_EXPECTED)
    rule = Rule(
        id=values["id"],
        version=values["version"],
        owner=values["owner"],
        sla=values["sla"],
        stage=values["stage"],
        events=tuple(dict.fromkeys(name for trigger in triggers for name in trigger.events)),
        destinations=tuple(values["destinations"]),
        purposes=tuple(values.get("purposes", ())),
        expected_by="" if expected_by == NOT_EXPECTED else expected_by,
        mode=values.get("mode", "active"),
        weight=float(values.get("weight", 0.0)),
        upstream=values.get("upstream", ""),
        cap=cap,
        experiment=_experiment(values["experiment"]) if "experiment" in values else None,
        title=values.get("title", ""),
        violations=dict(values.get("violations", {})),
    )
    schema = values.get("schema", {})
    check = compile_schema(schema) if schema else no_violations
    return CompiledRule(
        rule, _matches(triggers), compile_value(values.get("value")), triggers, check, schema, in_session=in_session
    )


def _experiment(values: Values) -> Experiment:
    return Experiment(values["id"], values["path"], tuple(values["variants"]))


def _under(rule: str, cap: Cap) -> Predicate:
    def under(event: Event) -> bool:
        session = event.session
        if session is None:
            return False
        if session.spent(rule, cap.per) < cap.most:
            return True
        session.over = rule
        return False

    return under


def _trigger(way: Values, under: Predicate | None) -> Trigger:
    when = compile_condition(way["when"]) if way.get("when") is not None else None
    if when is not None and under is not None:
        when = both(when, under)
    return Trigger(tuple(way.get("events", ())), tuple(way.get("kinds", ())), when or under)


def _matches(triggers: tuple[Trigger, ...]) -> Predicate:
    def matches(event: Event) -> bool:
        return any(way.covers(event.kind, event.name) and (way.when is None or way.when(event)) for way in triggers)

    return matches


def compile_destination(values: Values) -> Destination:
    """One destination."""
    fields = [_field(name, field) for name, field in values["fields"].items()]
    return Destination(
        id=values["id"],
        topic=values["topic"],
        purposes=tuple(values["purposes"]),
        project=compile_projection(fields),
        veiled=veiled(fields),
        field_names=tuple(field.name for field in fields if field.action != DROP),
        accepts=values.get("accepts", "tagged"),
        valid_at=values.get("valid_at", "both"),
        max_lateness_ms=milliseconds(values.get("max_lateness", "72h")),
        time_bucket_ms=milliseconds(values.get("time_bucket", "1ms")),
        hold=values.get("hold", True),
    )


def _field(name: str, values: Values) -> Field:
    options = {key: values[key] for key in ("as", "chars", "size") if key in values}
    if "every" in values:
        options["every_ms"] = milliseconds(values["every"])
    return Field(name, required_path(values["from"]), values["action"], options)


def keyed_by_subject(values: Values) -> bool:
    """Whether the policy says that records of one subject stand in one partition of ``events.raw``."""
    source = values.get("sources", {}).get(RAW, {})
    return bool(source.get("keyed_by") == "subject")
