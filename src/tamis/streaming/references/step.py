"""The plain job, as a team would write it without tamis: what the reference programs of the benchmark do per event.

Rules: parse, read the consent in the event, pseudonymise with a keyed hash, write a clean record, a CRM record and one
audit line; malformed input gives a quarantine line. No consent table, no tree, no counts.
"""

import hmac
from base64 import urlsafe_b64encode
from typing import Any, NamedTuple

import orjson

CLEAN, CRM, AUDIT, QUARANTINE = range(4)
_KEYS = {CLEAN: b"clean-key" * 3, CRM: b"crm-key" * 4}


class Output(NamedTuple):
    """One record: which output it belongs to, key and value."""

    output: int
    key: bytes | None
    value: bytes


def _pseudonym(domain: int, identity: str) -> str:
    return urlsafe_b64encode(hmac.digest(_KEYS[domain], identity.encode(), "sha256")[:16]).decode().rstrip("=")


def step(partition: int, offset: int, value: bytes) -> list[Output]:
    """All records one event gives."""
    try:
        event: dict[str, Any] = orjson.loads(value)
        identity, name, at = event["anonymousId"], event["event"], event["timestamp"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        line = orjson.dumps({"p": partition, "o": offset, "why": "malformed"})
        return [Output(QUARANTINE, None, line), Output(AUDIT, None, line)]
    context, properties = event.get("context") or {}, event.get("properties") or {}
    choices = (context.get("consent") or {}).get("categoryPreferences") or {}
    out = []
    common = {"event": name, "ts": at, "value": properties.get("value"), "currency": properties.get("currency")}
    if choices.get("Analytics") is True:
        subject = _pseudonym(CLEAN, identity)
        page, campaign = context.get("page") or {}, context.get("campaign") or {}
        clean = {**common, "subject": subject, "path": page.get("path"), "campaign": campaign.get("name")}
        out.append(Output(CLEAN, subject.encode(), orjson.dumps(clean)))
    if choices.get("Advertising") is True:
        subject = _pseudonym(CRM, identity)
        out.append(Output(CRM, subject.encode(), orjson.dumps({**common, "subject": subject})))
    audit = {"p": partition, "o": offset, "out": [record.output for record in out], "policy": "2026-11-01"}
    out.append(Output(AUDIT, None, orjson.dumps(audit)))
    return out
