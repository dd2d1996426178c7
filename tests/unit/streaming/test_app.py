from __future__ import annotations

from pathlib import Path

import pytest

from tamis.streaming.app import BrokerSecurity, EdgeTuning, make_app
from tamis.streaming.transport.clock import RecordClock, WallClock
from tamis.streaming.transport.topic import HandOutPolicy, batch_policies, batch_topic


def test_the_app_is_configured_for_the_edge(tmp_path: Path) -> None:
    app = make_app("role", bootstrap="127.0.0.1:1, 127.0.0.1:2", datadir=tmp_path, worker="3")
    assert [str(url) for url in app.conf.broker] == ["batchkafka://127.0.0.1:1", "batchkafka://127.0.0.1:2"]
    assert app.transport.exactly_once
    assert isinstance(app.transport.clock, WallClock)
    assert Path(app.conf.datadir) == tmp_path / "role-3"
    assert (app.conf.web_enabled, app.conf.topic_allow_declare, app.conf.topic_disable_leader) == (False, False, True)
    assert app.conf.producer_compression_type == "lz4"
    assert app.conf.broker_max_poll_records is None, "aiokafka would fill a poll from one partition"


def test_guarantee_time_and_numbers_are_set(tmp_path: Path) -> None:
    clock = RecordClock()
    app = make_app(
        "role",
        bootstrap="127.0.0.1:1",
        datadir=tmp_path,
        guarantee="at_least_once",
        time_source="record",
        record_clock=clock,
        tuning=EdgeTuning(max_batch_records=7, session_timeout_s=8.0, stuck_after_s=9.0),
    )
    assert not app.transport.exactly_once
    assert app.transport.clock is clock
    assert (app.transport.max_batch_records, app.transport.stuck_after_s) == (7, 9.0)
    assert app.conf.broker_session_timeout == 8.0


def test_a_rebalance_must_fit_into_a_request() -> None:
    with pytest.raises(ValueError, match="rebalance_timeout_s"):
        EdgeTuning(rebalance_timeout_s=40.0, request_timeout_s=40.0)


def test_a_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(BrokerSecurity(username="u", password="hunter2"))


def test_batch_topics_carry_their_policy_and_stock_topics_have_none(tmp_path: Path) -> None:
    app = make_app("role", bootstrap="127.0.0.1:1", datadir=tmp_path)
    topics = [batch_topic(app, "raw", gated=True), batch_topic(app, "held", delay_ms=10_000, clock_topic="raw")]
    for topic in (*topics, app.topic("stock")):
        app.topics.add(topic)
    assert batch_policies(app) == {
        "raw": HandOutPolicy(gated=True),
        "held": HandOutPolicy(delay_ms=10_000, clock_topic="raw"),
    }


def test_the_first_closed_gate_gives_the_reason(tmp_path: Path) -> None:
    transport = make_app("role", bootstrap="127.0.0.1:1", datadir=tmp_path).transport
    assert transport.gate_closed() is None
    transport.gates += [lambda: None, lambda: "stale", lambda: "rules"]
    assert transport.gate_closed() == "stale"
    assert transport.gate_reason == "stale"
