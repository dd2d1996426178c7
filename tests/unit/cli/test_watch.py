"""`tamis watch`: one state as JSON or a line, the panel, and clear errors."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from rich.console import Console

from tamis.cli.main import main
from tamis.cli.watch_view import plain_line, render
from tamis.records.alert import Alert
from tamis.services.watch.sight import Fate, Process, Sight
from tamis.telemetry.endpoint import Endpoint
from tamis.telemetry.metrics import Telemetry, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

ALERT = Alert(
    id="i", state="open", series="shop/sign\x1b[31mup", kind="drop", severity="page", opened_at=0, detected_at=0,
    minute=1, observed=0.0, expected=9.0, low=5.0, high=12.0, score=0.9, owner="growth",
)  # fmt: skip
SEEN = Sight(
    at_ms=0, processes=(Process(address="a:1", roles="intake"), Process(address="a:2", trouble="silent for 2 s")),
    events_per_s=1234.5, fates=(Fate(outcome="accepted", reason="granted", events=10_000, per_s=9.25),),
    lag={"events.raw": 4_000}, consent_age_s=None, consent_bound_s=60.0, waits=("consent_too_old",),
    windows_behind_s=61.0, residual=3, unsealed=7, refused=(), incidents=(ALERT,), incidents_trouble="",
    incidents_open=1,
)  # fmt: skip


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    telemetry = Telemetry(vocabulary("0.1.0", "intake"))
    made = Endpoint(telemetry.registry, "127.0.0.1", 0)
    yield made
    made.stop()


def _drawn(seen: Sight) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(render(seen))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_panel_shows_what_matters() -> None:
    text = _drawn(SEEN)
    for part in ("1,234 events/s", "granted", "10,000", "9.2", "events.raw 4,000", "intake waits: consent_too_old",
                 "consent age unknown", "3 events not accounted for", "drop: 0.0/min, usually 9.0", "owner growth",
                 "1 of 2 processes answer", "a:2: silent for 2 s", "61s ago",
                 "7 records behind"):  # fmt: skip
        assert part in text, part
    assert "\x1b" not in text


def test_a_refused_log_and_a_sealer_that_is_not_asked_are_told_apart() -> None:
    refused = msgspec.structs.replace(SEEN, refused=("root",))
    assert "a log is sealed no further: root" in _drawn(refused)
    assert "log_refused=root" in plain_line(refused)
    unseen = msgspec.structs.replace(SEEN, unsealed=None)
    assert "no sealer is asked" in _drawn(unseen)
    assert "unsealed=unknown" in plain_line(unseen)


def test_incidents_that_cannot_be_read_are_not_shown_as_none() -> None:
    text = _drawn(msgspec.structs.replace(SEEN, incidents=None, incidents_trouble="no answer"))
    assert "1 open by the processes; alerts cannot be read: no answer" in text
    assert "no open incident" in _drawn(msgspec.structs.replace(SEEN, incidents=()))


def test_many_fates_and_incidents_are_cut() -> None:
    fates = tuple(Fate(outcome="denied", reason=f"r{i}", events=1, per_s=None) for i in range(20))
    text = _drawn(msgspec.structs.replace(SEEN, fates=fates, incidents=(ALERT,) * 15))
    assert "6 more" in text
    assert "and 3 more" in text


def test_a_line_for_logs() -> None:
    assert plain_line(SEEN) == (
        "00:00:00 processes=1/2 rate=1,234/s accepted=10000 lag:events.raw=4000 consent_age=unknown "
        "minutes_behind=61s unaccounted=3 unsealed=7 incidents_open=1 intake_waits=consent_too_old"
    )


def test_once_as_json(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--endpoint", f"127.0.0.1:{endpoint.port}"]
    assert main(["watch", "--once", "--json", "--no-alerts", *asked]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    seen = json.loads(line)
    assert seen["processes"] == [
        {"address": f"127.0.0.1:{endpoint.port}", "roles": "intake", "version": "0.1.0", "trouble": ""}
    ]
    assert (seen["events_per_s"], seen["incidents"]) == (0.0, None)


def test_a_running_view_gives_lines_and_ends_by_interrupt(
    endpoint: Endpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = iter([None, None, KeyboardInterrupt()])

    def sleep(_: float) -> None:
        due = next(waits)
        if due is not None:
            raise due

    monkeypatch.setattr("tamis.cli.watch.time.sleep", sleep)
    assert main(["watch", "--no-alerts", "--endpoint", f"127.0.0.1:{endpoint.port}"]) == 130
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ", 1)[1].startswith("processes=1/1 rate=") for line in lines] == [True, True]


def test_nobody_answers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_TELEMETRY__PORT", "0")
    assert main(["watch"]) == 2
    assert "telemetry.port is 0" in capsys.readouterr().err
    assert main(["watch", "--endpoint", "127.0.0.1:1"]) == 75
    assert "no process answers: 127.0.0.1:1 (connection refused)" in capsys.readouterr().err
    assert main(["watch", "--endpoint", "nonsense"]) == 2
    assert "'nonsense' is not HOST:PORT" in capsys.readouterr().err
