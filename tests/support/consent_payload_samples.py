"""Payloads of every consent source, captured ones and ones written after the documents, each with a mixed choice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

AT_MS = 1_795_319_506_897
AT = "2026-11-22T03:51:46.897Z"
TCF = "CQuFeUAQuFeUAEsADBENB4FgAP_gAEPgAAqIH0QAYAAgfQBwkAGAAIHCAAAA.IH0QAYAAgfQA.YAAAAAAAAAAA"
_CAPTURED = Path(__file__).parents[1] / "vectors" / "consent_payloads"


def _profile(purpose: str, word: str) -> dict[str, Any]:
    fields = {"TransactionStatus": word, "LastTransaction": str(AT_MS // 1000)}
    return {"purposeId": purpose, "purposeName": purpose.title(), "profileFields": fields}


def _call(**more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u-1", "anonymousId": "d-1", "timestamp": AT, "originalTimestamp": AT, **more}


_SNOWPLOW = {
    "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
    "data": {
        "schema": "iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0",
        "data": {
            "eventType": "allow_selected", "basisForProcessing": "consent", "consentScopes": ["stats", "ads"],
            "consentVersion": "1.0",
        },
    },
}  # fmt: skip

WRITTEN: dict[str, Any] = {
    "canonical": {
        "type": "consent", "identity": {"person": "u-1", "device": "d-1"}, "regulation": "gdpr", "notice": "v3",
        "choices": {"stats": "granted", "ads": "denied", "mail": "withdrawn"}, "effective_at": AT, "seq": 7,
        "authenticated": True, "expires_at": AT_MS + 10**10,
    },
    "signals": {
        "type": "signals", "identity": {"device": "d-1"}, "effective_at": AT_MS, "tcf": TCF, "gcd": "11r1t1u1n5",
        "usp": "1NYN",
    },
    "onetrust": {
        "eventId": "e-1", "eventTime": AT, "eventType": "3010", "messageSequenceNumber": 7,
        "payload": {
            "dataSubjectIdentifier": "u-1", "dataSubjectIdentifierType": "Email", "testDataSubject": False,
            "profiles": [_profile("stats", "ACTIVE"), _profile("ads", "OPT_OUT"), _profile("mail", "PENDING")],
        },
    },
    "usercentrics": {
        "controller_id": "d-1", "timestamp": AT_MS, "consent_string": TCF, "webhook_version": "v1",
        "consents": [{"consent_status": True, "dps_id": "stats"}, {"consent_status": False, "dps_id": "ads"}],
    },
    "ketch": {
        "apiVersion": "consent/v1", "kind": "ConsentRequest",
        "request": {
            "collectedAt": AT_MS // 1000,
            "purposes": {"stats": "granted", "ads": "denied", "mail": {"consent": "maybe"}},
            "identities": [{"identitySpace": "swb_shop", "identityValue": "d-1"}],
        },
    },
    "didomi": {
        "type": "event.created", "regulation": "gdpr",
        "parameters": {"entity": {"user": {"id": "d-1"}, "created_at": AT, "consents": {"purposes": [
            {"id": "stats", "enabled": True}, {"id": "ads", "enabled": False}, {"id": "mail", "enabled": None},
        ]}}},
    },
    "fides": {
        "items": [
            {"notice_name": "stats", "preference": "opt_in", "request_timestamp": AT, "fides_user_device_id": "d-1"},
            {"notice_name": "ads", "preference": "opt_out", "request_timestamp": AT, "fides_user_device_id": "d-1"},
        ],
    },
    "mparticle": {
        "user_identities": {"customerid": "u-1"}, "mp_deviceid": "d-1", "consent_state": {
            "gdpr": {"stats": {"consented": True, "timestamp_unixtime_ms": AT_MS, "document": "v1"},
                     "ads": {"consented": False, "timestamp_unixtime_ms": AT_MS}},
            "ccpa": {"data_sale_opt_out": {"consented": True, "timestamp_unixtime_ms": AT_MS}},
        },
    },
    "snowplow": {
        "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
        "data": [{"e": "ue", "eid": "e-1", "duid": "d-1", "uid": "u-1", "dtm": str(AT_MS),
                  "ue_pr": json.dumps(_SNOWPLOW)}],
    },
    "ga4": {
        "client_id": "1.2", "timestamp_micros": AT_MS * 1000,
        "consent": {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"},
    },
    "rudderstack": {"batch": [_call(context={"consentManagement": {
        "allowedConsentIds": ["stats", "mail"], "deniedConsentIds": ["ads", "mail"]}})]},
    "segment": _call(event="Segment Consent Preference Updated", context={
        "consent": {"categoryPreferences": {"stats": True, "ads": False, "mail": None}}}),
    "cookiebot": (
        "{stamp:'d-1',necessary:true,preferences:true,statistics:false,marketing:true,"
        f"method:'explicit',ver:1,utc:{AT_MS}}}"
    ),
    "trustarc": {"consentDecision": [1, 2], "source": "asserted", "visitorId": "d-1", "timestamp": AT},
}  # fmt: skip


def payloads() -> list[tuple[str, bytes]]:
    """Name and bytes of each."""
    written = [(name, body if isinstance(body, str) else json.dumps(body)) for name, body in WRITTEN.items()]
    captured = [(path.stem, json.loads(path.read_text("utf-8"))["body"]) for path in sorted(_CAPTURED.glob("*/*.json"))]
    return [(name, text.encode()) for name, text in (*written, *captured)]
