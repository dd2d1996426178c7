"""The series about what producers send: violations and bots."""

from functools import partial

from tamis.domain.bots import Bot, BotAction
from tamis.domain.violations import Severity, ViolationKind
from tamis.telemetry.series import Definitions, Label, Series

_defined = Definitions()
_series = partial(_defined.define, "Validation")

VIOLATIONS = _series(
    "counter",
    "violations_total",
    "What is wrong with events by the rule they fall under; an event may count several times. Errors are quarantined.",
    Label(name="rule", of="rule ids of the configuration, `-` for none"),
    Label(name="violation", values=tuple(map(str, ViolationKind)), of="kinds of violation"),
    Label(name="severity", values=tuple(map(str, Severity)), of="`error`, `warning`, `info`"),
    Label(name="producer", of="SDK, its version and the app's, of the 50 producers that violated most; else `other`"),
    Label(name="site", of="labels of the sites, `-` for none"),
)
BOT_EVENTS = _series(
    "counter",
    "bot_events_total",
    "Events made by software: sent on with the flag, or denied for it.",
    Label(name="bot", values=tuple(map(str, Bot)), of="why it counts as one", preset=True),
    Label(name="action", values=tuple(map(str, BotAction)), of="`mark` or `deny`", preset=True),
)

VALIDATION_SERIES: tuple[Series, ...] = tuple(_defined.made)
