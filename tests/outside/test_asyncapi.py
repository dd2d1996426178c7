"""The official AsyncAPI parser reads our contract, and says what is wrong with one that is none."""

from __future__ import annotations

import json

import pytest

from tamis.bundles.contract.asyncapi import document
from tamis.cli.contract import layout_of
from tamis.settings import Settings
from tests.support.asyncapi import asked
from tests.support.bundles import reference_bundle
from tests.support.requirements import require

pytestmark = pytest.mark.slow


def test_the_parser_accepts_the_contract() -> None:
    require("node")
    said = asked(json.dumps(document(reference_bundle(), layout_of(Settings()))))
    assert said["errors"] == []
    assert {"events.raw", "events.clean", "crm.hubspot", "crm.marketo", "alerts"} <= set(said["channels"])


def test_the_parser_refuses_a_broken_one() -> None:
    require("node")
    broken = document(reference_bundle(), layout_of(Settings()))
    broken["operations"]["send_alerts"]["action"] = "shout"
    assert asked(json.dumps(broken))["errors"]
    example = document(reference_bundle(), layout_of(Settings()))
    example["channels"]["crm_hubspot"]["messages"]["hubspot"]["payload"]["type"] = "objekt"
    assert asked(json.dumps(example))["errors"]
