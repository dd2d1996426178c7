"""The demo's panel and lines, drawn to a recorded console of 80 by 24."""

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tamis.demo.ledger import DemoLedger
from tamis.demo.producer import Produced
from tamis.demo.state import DemoState
from tamis.demo.traffic.plan import MINUTE_MS, Plan, plan_for
from tamis.demo.view import plain_line, render
from tamis.demo.watchers import EVERY_S, LiveWatcher, PlainWatcher
from tamis.records.alert import Alert

PLAN = plan_for(38_000)


def alert(state: str, closed_at: int | None = None) -> Alert:
    return Alert(
        id="shop/newsletter_signup@1", state=state, series="shop/newsletter_signup", kind="drop", severity="page",
        opened_at=PLAN.start_ms + 28 * MINUTE_MS, detected_at=PLAN.start_ms + 30 * MINUTE_MS, minute=1, observed=0.0,
        expected=13.1, low=9.8, high=26.0, score=0.6, owner="growth", sla="4h", closed_at=closed_at,
    )  # fmt: skip


def produced(events: int, minutes: int) -> Produced:
    found = Produced()
    found.events, found.statements, found.at_ms = events, 5_100, PLAN.start_ms + minutes * MINUTE_MS
    return found


def ledger(*alerts: Alert) -> DemoLedger:
    found = DemoLedger()
    found.outcomes.update(accepted=16_000, denied=7_000, invalid=300)
    found.reasons.update({
        ("accepted", "granted"): 16_000, ("denied", "denied"): 5_000, ("denied", "no_record"): 1_500,
        ("denied", "withdrawn"): 300, ("denied", "late"): 200, ("invalid", "not_json"): 200,
        ("invalid", "bad_time"): 60,        ("invalid", "future"): 30, ("invalid", "empty"): 10,
    })  # fmt: skip
    found.leaves = 23_250
    found.records.update({"events.clean": 15_900, "crm.hubspot": 4_000, "crm.marketo": 900, "events.quarantine": 300})
    found.alerts += alerts
    return found


def state_of(plan: Plan = PLAN, *alerts: Alert, gate: str | None = None, minutes: int = 35) -> DemoState:
    state = DemoState(plan, Path("out"), 100.0)
    state.take(produced(11_000, 15), DemoLedger(), None, 110.0)
    state.take(produced(24_000, minutes), ledger(*alerts), gate, 120.0)
    return state


def drawn(state: DemoState, *, ascii_only: bool = False) -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii" if ascii_only else "utf-8")
    console = Console(file=stream, width=80, height=24, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(render(state))
    stream.flush()
    raw: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return raw.decode(stream.encoding).splitlines()


def test_the_panel_fits_80_by_24_and_shows_the_facts() -> None:
    lines = drawn(state_of(PLAN, alert("open")))
    text = "\n".join(lines)
    assert len(lines) <= 23  # the cursor needs the last line
    assert max(map(len, lines)) <= 80
    for fact in (
        "24,000 in", "5,100 consent statements", "intake open", "simulated 13:35", "accepted", "16,000", "68.7%",
        "no_record", "clean 15,900", "quarantine 300", "13:30 OPEN  shop/newsletter_signup drop: 0.0/min",
        "usually 13.1", "pages growth", "700 waiting", "23,250 audit leaves", "balanced",
        "the tag of shop/newsletter_signup is broken since 13:28",
    ):  # fmt: skip
        assert fact in text, fact


def test_the_worst_case_still_fits() -> None:
    alerts = [msgspec.structs.replace(alert("open"), id=f"s{number}") for number in range(6)]
    state = state_of(PLAN, *alerts, gate="consent age above its bound")
    state.outcomes.update(held=5, duplicate=6, conflict=7)
    lines = drawn(state)
    assert len(lines) <= 23  # the cursor needs the last line
    assert max(map(len, lines)) <= 80


def test_incidents_close() -> None:
    text = "\n".join(drawn(state_of(PLAN, alert("open"), alert("closed", PLAN.start_ms + 50 * MINUTE_MS), minutes=55)))
    assert "13:50 closed  shop/newsletter_signup drop after 22 min" in text
    assert "OPEN" not in text
    assert "was broken 13:28 to 13:47, now repaired" in text


def test_a_healthy_run_and_a_pause_are_named() -> None:
    text = "\n".join(drawn(state_of(plan_for(38_000, fault=False), gate="consent age")))
    assert "no incident" in text
    assert "intake waits: consent age" in text
    assert "the tagging of every rule is healthy in this run" in text


def test_terminals_without_unicode_get_plain_bars() -> None:
    text = "\n".join(drawn(state_of(), ascii_only=True))
    assert "accepted             ###############" in text


def test_books_that_do_not_balance_are_shown() -> None:
    state = state_of()
    state.leaves = state.decided + 1
    assert not state.balanced
    assert "NOT BALANCED" in "\n".join(drawn(state))


def test_rate_speed_and_progress() -> None:
    state = DemoState(PLAN, Path("out"), 100.0)
    assert (state.rate, state.speed, state.progress) == (0.0, 0.0, 0.0)
    found = DemoLedger()
    for second in range(1, 11):
        found.outcomes["accepted"] = second * 500
        state.take(produced(second * 500, second), found, None, 100.0 + second)
    assert state.rate == pytest.approx(500)
    assert state.speed == pytest.approx(60)
    assert state.progress == pytest.approx(10 / PLAN.minutes)


def test_the_plain_line_has_the_numbers() -> None:
    line = plain_line(state_of(PLAN, alert("open"), gate="not caught up"))
    assert line.split() == [
        "20.0s", "simulated=13:35", "in=24000", "accepted=16000", "denied=7000", "invalid=300", "waiting=700",
        "rate=2330/s", "leaves=23250", "incidents_open=1", "intake_waits=not_caught_up",
    ]  # fmt: skip


def test_plain_watcher_prints_now_and_then_and_every_incident_once() -> None:
    lines: list[str] = []
    now = 0.0
    with PlainWatcher(lines.append, lambda: now) as watcher:
        watcher.tick(produced(0, 0), DemoLedger(), None)
        watcher.begin(PLAN, Path("out"))
        for _ in range(4):
            now += EVERY_S / 2
            watcher.tick(produced(24_000, 35), ledger(alert("open")), None)
        watcher.tick(produced(24_000, 55), ledger(alert("closed", PLAN.start_ms + 50 * MINUTE_MS)), None)
    assert [line.split()[0] for line in lines] == ["traffic", "incident", "3.0s", "6.0s", "incident", "6.0s"]


def test_live_watcher_draws_the_last_state() -> None:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system=None)
    with console.capture() as captured, LiveWatcher(console, lambda: 5.0) as watcher:
        watcher.begin(PLAN, Path("out"))
        watcher.tick(produced(24_000, 35), ledger(), None)
    assert "24,000 in" in captured.get()
