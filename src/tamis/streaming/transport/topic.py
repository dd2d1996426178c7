"""Topics that are consumed in batches, and how each is handed out.

Rules: a batch topic has exactly one agent with concurrency 1 (checked at assignment); its stream yields `Batch`
objects untouched by any serializer. Stock topics work beside batch topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import faust

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class HandOutPolicy:
    """How batches of one topic are handed out.

    Attributes:
        empty_every_s: an idle partition gets an empty batch this often, in seconds; None means never.
        delay_ms: a record is handed out this long after its timestamp.
        delay_from: gives the delay instead, ms; it may change, also for records that wait already.
        gated: nothing is handed out while a gate of the transport is closed.
        clock_topic: under `time_source = record`, the topic whose records tell the time; None means the topic itself.
    """

    empty_every_s: float | None = 5.0
    delay_ms: int = 0
    gated: bool = False
    clock_topic: str | None = None
    delay_from: Callable[[], int] | None = None

    def due_ms(self) -> int:
        """How long after its timestamp a record is handed out now, in ms."""
        return self.delay_ms if self.delay_from is None else self.delay_from()


class BatchSchema(faust.Schema):
    """Passes the batch through and carries the topic's hand-out policy."""

    def __init__(self, policy: HandOutPolicy) -> None:
        super().__init__(key_serializer="raw", value_serializer="raw")
        self.policy = policy

    def compile(self, app: Any, **_: Any) -> Any:
        """Return a decoder that wraps the batch into an event."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - called by keyword
            return app.create_event(None, message.value, None, message)

        return decode


def batch_topic(
    app: Any,
    name: str,
    *,
    empty_every_s: float | None = 5.0,
    delay_ms: int = 0,
    gated: bool = False,
    clock_topic: str | None = None,
    delay_from: Callable[[], int] | None = None,
) -> Any:
    """Declare a topic whose agent gets batches; the arguments are those of `HandOutPolicy`.

    Args:
        app: a faust App made by `tamis.streaming.app.make_app`.
        name: the topic's full name.
        empty_every_s: seconds between empty batches of an idle partition; None for none.
        delay_ms: how long after its timestamp a record is handed out, in ms.
        gated: whether the transport's gates apply.
        clock_topic: the topic that tells the time under `time_source = record`.
        delay_from: gives the delay anew whenever it is asked for, in ms; takes the place of `delay_ms`.

    Returns:
        A faust topic for `@app.agent`.
    """
    policy = HandOutPolicy(
        empty_every_s=empty_every_s, delay_ms=delay_ms, gated=gated, clock_topic=clock_topic, delay_from=delay_from
    )
    return app.topic(name, schema=BatchSchema(policy))


def batch_policies(app: Any) -> dict[str, HandOutPolicy]:
    """The hand-out policy of every batch topic the app declared, by topic name."""
    found: dict[str, HandOutPolicy] = {}
    for topic in list(app.topics):
        schema = getattr(topic, "schema", None)
        if isinstance(schema, BatchSchema):
            found.update(dict.fromkeys(topic.topics, schema.policy))
    return found
