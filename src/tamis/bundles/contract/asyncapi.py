"""The AsyncAPI 3.0 document of an installation: what producers send, what each reader gets, on which Kafka topics.

Rules: made from a bundle, the topic catalogue and the record types alone; a channel of a destination lists its allowed
fields and no others; internal topics are left out.
Source: AsyncAPI 3.0.0; Kafka bindings 0.5.0.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tamis.bundles.contract.example import example_of
from tamis.bundles.contract.open_channels import open_channels
from tamis.bundles.contract.privacy_request import privacy_request_schema
from tamis.bundles.contract.record_schemas import READ, destination_schema, schema_of
from tamis.domain.bundle import Bundle
from tamis.domain.rules import CompiledRule
from tamis.records.topics import CATALOGUE, Topic, TopicSpec, crm_topic

Json = dict[str, Any]
_BINDING = "0.5.0"
_CALLS: Mapping[str, tuple[str, ...]] = {"page": ("page", "screen")}
_ENDPOINT = {
    "type": "object",
    "properties": {"endpoint": {"type": "string", "description": "address as requested, query included"}},
}
_VISITOR = {"type": "string", "description": "any; best a stable id of the visitor that is no person's id"}
_ANY_KEY = {"type": "string"}
_SUBJECT = {"type": "string", "description": "the pseudonym `subject`"}


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How topics are named and split: prefix of names, and partitions by ``TopicSpec.partitions``."""

    prefix: str
    partitions: Mapping[str, int]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        spec: the topic.
        about: a sentence for people.
        messages: by name.
        sends: whether tamis writes it.
    """

    spec: TopicSpec
    about: str
    messages: Mapping[str, Json]
    sends: bool


def written(bundle: Bundle) -> Json:
    """The bundle as configured."""
    found: Json = json.loads(bundle.source)
    return found


def rule_schema(compiled: CompiledRule, way: Mapping[str, Any]) -> Json:
    """The schema of a rule's events as calls in the analytics.js form; conditions are not part of it."""
    ways = way["match"] if isinstance(way["match"], list) else [way["match"]]
    properties = {"type": "object", **compiled.schema}
    rule = compiled.rule
    return {
        "title": rule.title or rule.id,
        "type": "object",
        "required": ["type", *(["properties"] if compiled.schema.get("required") else [])],
        "properties": {
            "type": {"type": "string"},
            "messageId": {"type": "string", "description": "id of the event; a repeat has the same"},
            "anonymousId": {"type": "string"},
            "userId": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
            "properties": properties,
        },
        "allOf": [
            {"anyOf": [{"required": ["anonymousId"]}, {"required": ["userId"]}]},
            {"anyOf": [_way(each) for each in ways]},
        ],
    }


def _way(way: Mapping[str, Any]) -> Json:
    kinds = way.get("kinds")
    calls = [call for kind in kinds or () for call in _CALLS.get(kind, (kind,))]
    limits: Json = {"type": {"enum": calls}} if kinds else {}
    if not way.get("events"):
        return {"properties": limits}
    names = {"enum": list(way["events"])}
    return {
        "properties": limits,
        "anyOf": [{"properties": {key: names}, "required": [key]} for key in ("event", "name")],
    }


def channels(bundle: Bundle) -> Iterator[Channel]:
    """Every topic that others write or read."""
    specs = {spec.name: spec for spec in CATALOGUE}
    configured = written(bundle)
    yield Channel(
        spec=specs[Topic.EVENTS_RAW],
        about="Bodies as SDKs send them, and the events that rules ask for, in the analytics.js form.",
        messages=dict(_raw(bundle, configured)),
        sends=False,
    )
    yield Channel(
        spec=specs[Topic.PRIVACY_REQUESTS],
        about="What data subjects ask for: access, erasure, restriction, objection.",
        messages={"request": _message(privacy_request_schema(bundle.policy.aliases), {"description": "any"})},
        sends=False,
    )
    for destination, lines in zip(bundle.destinations, configured["destinations"], strict=True):
        spec = specs.get(destination.topic) or crm_topic(destination.id)
        tags = {
            c.rule.id: c.rule.stage
            for c in bundle.rules.rules
            if c.rule.mode == "active" and (destination.accepts == "all" or destination.id in c.rule.destinations)
        }
        purposes = ", ".join(destination.purposes)
        yield Channel(
            spec=spec,
            about=f"{lines.get('title', destination.id)}: events of people who allowed {purposes}.",
            messages={destination.id: _message(destination_schema(destination, lines, tags), _SUBJECT)},
            sends=True,
        )
    for name, about, sends, messages in open_channels(bundle.policy.aliases, specs):
        made = {key: {**_message(payload, _ANY_KEY), "contentType": kind} for key, (kind, payload) in messages.items()}
        yield Channel(spec=specs[name], about=about, messages=made, sends=sends)
    for topic, kinds in READ.items():
        yield Channel(
            spec=specs[topic],
            about=f"Written by tamis: {', '.join(kind.__name__ for kind in kinds)}.",
            messages={kind.__name__: _message(schema_of(kind), {"type": "string"}) for kind in kinds},
            sends=True,
        )


def _raw(bundle: Bundle, configured: Json) -> Iterator[tuple[str, Json]]:
    for compiled, lines in zip(bundle.rules.rules, configured["rules"], strict=True):
        if compiled.rule.mode != "active":
            continue
        rule = compiled.rule
        example = example_of(compiled, lines)
        message = _message(rule_schema(compiled, lines), _VISITOR)
        message |= {"title": rule.title or rule.id, "tags": [{"name": rule.stage}, {"name": f"owner:{rule.owner}"}]}
        if example is not None:
            message["examples"] = [{"payload": example}]
        yield rule.id, message
    about = "A body of any SDK that is understood, unchanged; what travelled in the address goes into `endpoint`."
    anything = {"description": about}
    yield "anySdk", {**_message(anything, _VISITOR), "headers": _ENDPOINT, "contentType": "application/octet-stream"}


def _message(payload: Json, key: Json) -> Json:
    binding = {"kafka": {"key": key, "bindingVersion": _BINDING}}
    return {"contentType": "application/json", "payload": payload, "bindings": binding}


def document(bundle: Bundle, layout: Layout) -> Json:
    """The whole document."""
    found, operations = {}, {}
    for channel in channels(bundle):
        name = channel.spec.name.replace(".", "_")
        found[name] = _channel(channel, layout)
        operations[f"{'send' if channel.sends else 'receive'}_{name}"] = {
            "action": "send" if channel.sends else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tamis",
            "version": bundle.hash,
            "description": "Made from the bundle whose hash is the version. Conditions of rules stand on their pages.",
        },
        "defaultContentType": "application/json",
        "channels": found,
        "operations": operations,
    }


def _channel(channel: Channel, layout: Layout) -> Json:
    spec, config = channel.spec, channel.spec.config
    topic: Json = {"cleanup.policy": config["cleanup.policy"].split(",")}
    topic |= {name: int(config[name]) for name in ("retention.ms", "max.message.bytes") if name in config}
    binding = {
        "topic": layout.prefix + spec.name,
        "partitions": layout.partitions[spec.partitions],
        "topicConfiguration": topic,
        "bindingVersion": _BINDING,
    }
    return {
        "address": layout.prefix + spec.name,
        "description": channel.about,
        "messages": dict(channel.messages),
        "bindings": {"kafka": binding},
    }
