"""Consent tools' payloads: what `tamis decode` shows of them, and that no part of them grants what they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamis.consent_sources.registry import ConsentReader
from tamis.consent_sources.statement import Statement
from tamis.domain.consent.model import Status
from tamis.services.decoding import Showing
from tests.support.payloads import instant, record

ROOT = Path(__file__).parents[2]
OWN = sorted((ROOT / "tests/vectors/consent_payloads").glob("*/*.json"))
SHARED = Path(os.environ.get("TAMIS_SHARED", ROOT.parent / "shared")) / "data/payloads/fides"
FILES = [*OWN, *sorted(SHARED.glob("*.json"))]
EVERY = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
FACTS = ("purposes", "vendors", "legal_basis", "jurisdiction", "gpc", "preference", "notice")


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def shown(payload: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(list(Showing().events(*record(payload)))))
    return found


def granted(text: str) -> set[tuple[str, str]]:
    """Identity and category of each grant."""
    found = ConsentReader().read(text.encode())
    entries = found if isinstance(found, list) else []
    return {
        (entry.person or entry.device or "", category)
        for entry in entries
        if isinstance(entry, Statement)
        for category, status in (entry.choices | entry.of_strings).items()
        if status is Status.GRANTED
    }


def test_there_are_captured_statements_of_five_tools() -> None:
    assert {path.parent.name for path in OWN} == {"cookiebot", "didomi", "ketch", "onetrust", "usercentrics"}


@EVERY
def test_every_fact_is_shown(path: Path) -> None:
    payload = load(path)
    found = shown(payload)
    assert len(found) == len(payload["expect"])
    for event, expect in zip(found, payload["expect"], strict=True):
        assert (event["vendor"], event["kind"]) == (payload["vendor"], "consent")
        assert (event["event_id"], event["user_id"], event["anonymous_id"]) == (
            expect["event_id"], expect["user_id"], expect["anonymous_id"]
        )  # fmt: skip
        assert instant(event["occurred_at"]) == instant(expect["occurred_at"])
        for fact in FACTS:
            assert event["consent"].get(fact) == expect.get(fact), fact


@EVERY
def test_a_truncated_payload_grants_no_more(path: Path) -> None:
    body = load(path)["body"]
    whole = granted(body)
    step = max(1, len(body) // 400)
    for end in range(0, len(body), step):
        assert granted(body[:end]) <= whole


@EVERY
def test_no_word_but_a_documented_yes_grants(path: Path) -> None:
    body = load(path)["body"]
    for yes in ("true", '"granted"', '"CONFIRMED"', '"opt_in"', ":1", "%3A1", "true"):
        for other in ("null", '"maybe"', "2", '"PENDING"', "[]"):
            changed = other if not yes.startswith((":", "%")) else yes[:-1] + other.strip('"')
            assert granted(body.replace(yes, changed)) <= granted(body)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_nothing_identifying_is_in_what_is_printed_of_a_statement(path: Path) -> None:
    payload = load(path)
    found = ConsentReader().read(payload["body"].encode())
    assert isinstance(found, list)
    for secret in payload.get("pii", ()):
        assert secret not in repr(found)
