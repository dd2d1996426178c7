"""The contract says what the engine does: examples are tagged, records fit their schemas, nothing else is let in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from tamis.bundles.contract.asyncapi import channels, document
from tamis.bundles.contract.files import contract_files
from tamis.bundles.contract.record_schemas import schema_of
from tamis.cli.contract import layout_of
from tamis.cli.main import main
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.event import Invalid
from tamis.records.batch import RawBatch
from tamis.records.metrics import MinuteClosed, Window, WindowCell
from tamis.records.outputs import CleanEvent
from tamis.records.topics import CATALOGUE
from tamis.settings import Settings
from tests.support.bundles import CONFIG, reference_bundle
from tests.support.core import START, ConsentTable, StoredRecord, small_intake, track
from tests.support.decoding import event
from tests.support.regenerate import GENERATED, ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILES = contract_files(reference_bundle(), layout_of(Settings()))
SCHEMAS = [name for name in FILES if name.startswith("schemas/")]
RULES = [compiled.rule.id for compiled in reference_bundle().rules.rules]


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILES[f"schemas/{name}.schema.json"])
    return found


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_in_both_dialects(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(FILES[name]))
    jsonschema.Draft7Validator.check_schema(json.loads(FILES[name]))


@pytest.mark.parametrize("rule", RULES)
def test_an_example_fits_its_schema_and_gets_its_tag(rule: str) -> None:
    raw = document(reference_bundle(), layout_of(Settings()))["channels"]["events_raw"]
    example = raw["messages"][rule]["examples"][0]["payload"]
    jsonschema.Draft202012Validator(schema(f"events.raw.{rule}")).validate(example)
    found = reference_bundle().rules.match(event(example))
    assert found is not None
    assert found.rule.id == rule


def clean(**changes: Any) -> Any:
    facts: dict[str, Any] = {"event_id": "e", "proof_id": "p", "subject": "v1.hubspot.e1." + "a" * 22, "name": "x",
                             "occurred_at": 1, "fields": {"plan": "team"},
                             "rule": "quote_started", "stage": "intent"}  # fmt: skip
    return msgspec.to_builtins(CleanEvent(**{**facts, **changes}))


def test_a_destination_takes_its_fields_rules_and_pseudonyms_and_no_others() -> None:
    check = jsonschema.Draft202012Validator(schema("crm.hubspot.hubspot"))
    check.validate(clean())
    assert not check.is_valid(clean(fields={"email": "a"}))
    assert not check.is_valid(clean(fields={"plan": {"a": 1}}))
    assert not check.is_valid(clean(rule="pdf_download"))
    assert not check.is_valid(clean(rule="", stage=""))
    assert not check.is_valid(clean(subject="v1.marketo.e1." + "a" * 22))


def test_records_of_metrics_fit() -> None:
    window = Window(series="s/r", minute=1, cells=(WindowCell("sent", "", 2, 0.5),))
    for record in (window, MinuteClosed(minute=1, n=2, series=1)):
        check = jsonschema.Draft202012Validator(schema_of(type(record)))
        check.validate(json.loads(msgspec.json.encode(record)))
        assert not check.is_valid({})


def test_no_page_or_schema_is_left_over() -> None:
    kept = [*(ROOT / "docs/rules").iterdir(), *(path for path in (ROOT / "docs/contract").rglob("*") if path.is_file())]
    assert {str(path.relative_to(ROOT)) for path in kept} <= set(GENERATED)


def test_the_command_prints_or_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", str(CONFIG / "minimal")]) == 0
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"
    assert main(["contract", str(CONFIG / "reference"), "--to", str(tmp_path)]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(FILES)


def test_the_command_refuses_what_is_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "rules.yaml" in said.err
    (tmp_path / "file").touch()
    assert main(["contract", str(CONFIG / "minimal"), "--to", str(tmp_path / "file/x")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_every_topic_that_others_write_or_read_has_a_channel() -> None:
    told = {channel.spec.name: channel.sends for channel in channels(reference_bundle())}
    for spec in CATALOGUE:
        if spec.role != "internal":
            assert told.get(spec.name) is (spec.role == "output"), spec.name


CONSENT: dict[str, Any] = {
    "type": "consent", "identity": {"person": "customer-4711"}, "choices": {"analytics": "granted"},
    "effective_at": "2026-11-22T09:30:00Z",
}  # fmt: skip


def test_a_consent_statement_is_what_its_reader_takes() -> None:
    wanted = jsonschema.Draft202012Validator(schema("consent.raw.canonical"))
    good: list[dict[str, Any]] = [{}, {"identity": {"device": 7}, "seq": 3}, {"effective_at": 1_795_339_800_000}]
    bad: list[dict[str, Any]] = [{"identity": {}}, {"effective_at": None}, {"choices": []}, {"seq": -1}]
    for changes in good:
        body = CONSENT | changes
        wanted.validate(body)
        assert not isinstance(ConsentReader().read(json.dumps(body).encode()), Invalid)
    for changes in bad:
        assert not wanted.is_valid(CONSENT | changes)


def test_leaves_and_heads_fit_the_contract() -> None:
    table = ConsentTable()
    table.set_device("device-1", analytics=Status.GRANTED, marketing=Status.DENIED)
    records = [StoredRecord(number, START, value) for number, value in enumerate([track(), b"{"])]
    out = small_intake(table).process(AuditLog("events.raw/0"), RawBatch("events.raw", 0, records, 0, 2, START))
    for leaf in out.leaves:
        jsonschema.validate(json.loads(leaf), schema("audit.log.leaf"))
    assert out.head is not None
    jsonschema.validate(json.loads(out.head), schema("audit.log.head"))
    for _, value in out.outputs["events.quarantine"]:
        jsonschema.validate(json.loads(value), schema("events.quarantine.QuarantineEntry"))
