"""Dashboards: every query is about series that exist, every panel says what it shows, nothing overlaps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.build import INCIDENTS, PAGES, queries
from deploy.grafana.panels import ROWS
from tests.support.promql import SERIES, named, problems

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
BOARDS: dict[str, dict[str, Any]] = {
    name: json.loads((DEPLOY / f"grafana/dashboards/{name}.json").read_text()) for name in PAGES
}
PANELS = [panel for board in BOARDS.values() for panel in board["panels"] if panel["type"] != "row"]
RULES = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"]
RECORDED = {rule["record"] for group in RULES for rule in group["rules"] if "record" in rule}
# On no panel: the alert looks at it, and its log line says more.
NOT_SHOWN = {"tamis_fatal_total"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_and_asks_for_what_exists(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["targets"]
    for target in panel["targets"]:
        assert problems(target["expr"], RECORDED) == []


def test_every_row_is_on_one_dashboard() -> None:
    assert sorted(row for page in PAGES.values() for row in page.rows) == sorted(title for title, _ in ROWS)
    assert {path.stem for path in (DEPLOY / "grafana/dashboards").glob("*.json")} == PAGES.keys()
    assert {board["uid"] for board in BOARDS.values()} == {f"tamis-{name}" for name in PAGES}


def test_the_files_hold_the_queries_of_the_code() -> None:
    found = [target["expr"] for panel in PANELS for target in panel["targets"]]
    assert sorted(found) == sorted(queries())


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.incidents])
def test_incidents_are_marked_on_the_panels(name: str) -> None:
    (marks,) = BOARDS[name]["annotations"]["list"]
    assert marks["expr"] == INCIDENTS
    assert marks["enable"]
    assert problems(marks["expr"], RECORDED) == []


def test_every_series_is_shown_somewhere() -> None:
    recorded = {rule["record"]: rule["expr"] for group in RULES for rule in group["rules"] if "record" in rule}
    used = [*queries(), *(recorded[name] for name in recorded if any(name in query for query in queries()))]
    assert {name for query in used for name in named(query)} == SERIES.keys() - NOT_SHOWN


@pytest.mark.parametrize("name", PAGES)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    ids = [panel["id"] for panel in BOARDS[name]["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
