"""What a view shows follows from two looks: rates, restarts, unknown ages, silent processes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tamis.kafka.reader import TopicRecord
from tamis.records.alert import Alert, encode_alert
from tamis.services.watch.endpoints import Address, addresses, parse_address
from tamis.services.watch.incidents import FollowedIncidents
from tamis.services.watch.sight import Look, sight
from tamis.settings import KafkaSettings, Settings, SetupError, TelemetrySettings, TopicsSettings
from tamis.settings_audit import SealerSettings
from tamis.telemetry.exposition import parse


def record(topic: str, offset: int, value: bytes | None, key: bytes | None = None) -> TopicRecord:
    """A record of partition 0."""
    return TopicRecord(topic=topic, partition=0, offset=offset, timestamp=0, key=key, value=value)


EVENTS = 'tamis_events_total{{outcome="{}",reason="{}"}} {}\n'


def _look(at_s: float, *texts: str, **troubles: str) -> Look:
    return Look(at_s=at_s, scrapes={f"p{i}": parse(text) for i, text in enumerate(texts)}, troubles=troubles)


def test_rates_are_summed_over_processes_and_survive_a_restart() -> None:
    before = _look(10, EVENTS.format("accepted", "granted", 100), EVENTS.format("accepted", "granted", 500))
    now = _look(
        12, EVENTS.format("accepted", "granted", 160) + EVENTS.format("denied", "unknown", 4),
        EVENTS.format("accepted", "granted", 20), EVENTS.format("denied", "unknown", 900),
    )  # fmt: skip
    seen = sight(0, before, now)
    assert [(f.outcome, f.reason, f.events, f.per_s) for f in seen.fates] == [
        ("denied", "unknown", 904, 2.0),  # the process seen for the first time gives no rate
        ("accepted", "granted", 180, 40.0),
    ]
    assert seen.events_per_s == 42.0
    assert sight(0, None, now).events_per_s is None


@pytest.mark.parametrize(("ages", "shown"), [((4.0, 9.0), 9.0), ((4.0, float("inf")), None), ((), None)])
def test_the_worst_consent_age_counts(ages: tuple[float, ...], shown: float | None) -> None:
    seen = sight(0, None, _look(1, *(f"tamis_consent_age_seconds {age}\n" for age in ages)))
    assert seen.consent_age_s == shown


def test_gate_lag_residual_and_silent_processes() -> None:
    text = (
        'tamis_gate_closed{reason="consent_too_old"} 1\ntamis_gate_closed{reason="no_replica"} 0\n'
        'tamis_lag_records{role="intake",topic="events.raw"} 12\ntamis_ledger_residual_events 2\n'
        'tamis_worker_info{bundle="",roles="intake",version="0.1.0"} 1\n'
    )
    seen = sight(0, None, _look(1, text, text, other="silent for 2 s"))
    assert (seen.waits, seen.lag, seen.residual) == (("consent_too_old",), {"events.raw": 24}, 4)
    assert [(p.address, p.roles, p.trouble) for p in seen.processes] == [
        ("other", "", "silent for 2 s"), ("p0", "intake", ""), ("p1", "intake", ""),
    ]  # fmt: skip


def test_what_the_sealer_shows() -> None:
    text = 'tamis_sealer_lag_records 12\ntamis_sealer_refused{check="root"} 1\ntamis_sealer_refused{check="topic"} 0\n'
    seen = sight(0, None, _look(1, text))
    assert (seen.unsealed, seen.refused) == (12, ("root",))
    assert sight(0, None, _look(1, "")).unsealed is None


def _alert(state: str, number: int = 1) -> Alert:
    return Alert(
        id=f"i{number}", state=state, series="shop/signup", kind="drop", severity="page", opened_at=number,
        detected_at=0, minute=1, observed=0.0, expected=9.0, low=5.0, high=12.0, score=0.9,
    )  # fmt: skip


def test_the_last_record_of_an_incident_is_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [*map(encode_alert, (_alert("open", 2), _alert("open"), _alert("closed"))), b"no alert"]
    records = [record("alerts", offset, value) for offset, value in enumerate(values)]
    records += [record("alerts", 4, None, key=b"i9"), record("alerts", 5, encode_alert(_alert("updated", 3)))]
    asked: list[object] = []

    def read(_: object, topic: str, *, first: dict[int, int] | None, silence_s: float) -> list[TopicRecord]:
        asked.append((topic, first))
        return [each for each in records if first is None or each.offset >= first[0]]

    monkeypatch.setattr("tamis.services.watch.incidents.read_topic", read)
    followed = FollowedIncidents(Settings())
    assert followed.open() is None  # not read yet, which is not the same as none
    followed.refresh()
    assert [alert.id for alert in followed.open() or ()] == ["i2", "i3"]
    records += [record("alerts", 6, encode_alert(_alert("closed", 2)))]
    followed.refresh()
    assert [alert.id for alert in followed.open() or ()] == ["i3"]
    assert asked == [("alerts", None), ("alerts", {0: 6})]


def test_a_silent_cluster_is_a_trouble() -> None:
    settings = Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1"), topics=TopicsSettings(prefix="x."))
    followed = FollowedIncidents(settings, silence_s=0.3)
    followed.refresh()
    assert followed.open() is None
    assert followed.trouble


def test_addresses() -> None:
    assert parse_address("9400") == Address("127.0.0.1", 9400)
    assert (str(parse_address("[::1]:9400")), str(parse_address("h:1"))) == ("[::1]:9400", "h:1")
    for wrong in ("", "h:", "h:0", "h:70000", "http://h:9400", "h:\u0661"):
        with pytest.raises(ValueError, match="is not HOST:PORT"):
            parse_address(wrong)
    settings = Settings(telemetry=TelemetrySettings(host="0.0.0.0", port=9400))
    ports = [each.port for each in addresses(settings, 2)]
    assert ports == [9400, 9401, 9402, 9403], "a replica, two workers, the sealer"
    assert {each.host for each in addresses(settings, 2)} == {"127.0.0.1"}
    elsewhere = replace(settings, sealer=SealerSettings(enabled=False))
    assert [each.port for each in addresses(elsewhere, 2)] == [9400, 9401, 9402]
    with pytest.raises(SetupError, match=r"telemetry\.port is 0"):
        addresses(Settings())
