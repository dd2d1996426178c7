"""Value of ``alerts``: one incident, key = incident id; the last record of an incident is its present state."""

import msgspec


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incident as on-call staff reads it.

    Attributes:
        id: stable for the life of the incident: "<series>@<minute opened>".
        state: "open", "updated" or "closed".
        series: "<site>/<rule>", or "<site>/*" for an incident of the whole site.
        kind: "drop", "spike", "silent" or "absent".
        channel: what decided: "count", "ratio" (to the step before), "site" or "absence".
        severity: "page" or "ticket".
        opened_at: ms, start of the first bad minute.
        detected_at: ms, end of the minute in which it was noticed.
        closed_at: ms, once closed.
        minute: epoch minute this state speaks of.
        observed: events per minute seen (mean over the deciding window).
        expected: events per minute expected.
        low: lower bound of the healthy band.
        high: upper bound of the healthy band; None while nothing usual is known and no rise is reported.
        score: 0..1, 0.5 is the threshold.
        owner: from the rule.
        sla: from the rule.
        runbook: link or path.
        cause: suspected cause: "" for none, "site" (part of the site's incident), "bundle", "consent", "invalid",
            "duplicates", "bots".
        affected: series of the site that fail together, 0 for an incident of one series.
        members: the largest of them.
    """

    id: str
    state: str
    series: str
    kind: str
    severity: str
    opened_at: int
    detected_at: int
    minute: int
    observed: float
    expected: float
    low: float
    high: float | None
    score: float
    channel: str = "count"
    owner: str = ""
    sla: str = ""
    runbook: str = ""
    cause: str = ""
    closed_at: int | None = None
    affected: int = 0
    members: tuple[str, ...] = ()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Alert)


def encode_alert(alert: Alert) -> bytes:
    """The alert as it is written (JSON)."""
    return _ENCODER.encode(alert)


def decode_alert(value: bytes) -> Alert:
    """A record of ``alerts``.

    Raises:
        msgspec.DecodeError: not written by tamis, a fault.
    """
    return _DECODER.decode(value)
