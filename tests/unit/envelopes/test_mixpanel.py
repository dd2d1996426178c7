"""Mixpanel: events, imports, profiles; JSON, forms, base64 and GET."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tamis.domain.event import Event
from tests.support.decoding import entries, event, why

TRACK = {"event": "Signed Up", "properties": {"token": "t", "$insert_id": "i-1", "time": 1_739_692_800,
         "$device_id": "d-1", "$user_id": "u-1", "distinct_id": "u-1", "plan": "pro"}}  # fmt: skip


def changed(**properties: Any) -> dict[str, Any]:
    kept = TRACK["properties"] | properties  # type: ignore[operator]
    return {"event": "Signed Up", "properties": {key: value for key, value in kept.items() if value is not ...}}


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value, ensure_ascii=False).encode()).decode()


@pytest.mark.parametrize(
    ("body", "endpoint"),
    [
        (json.dumps([TRACK]), "https://api.mixpanel.com/import?strict=1"),
        (json.dumps(TRACK), "/track"),
        (urlencode({"data": json.dumps(TRACK)}), "/track"),
        (urlencode({"data": json.dumps([TRACK]), "verbose": "1"}), ""),
        (urlencode({"data": packed(TRACK)}), "/track"),
        ("data=" + packed(TRACK), "/track"),
        ("", "/track?ip=1&data=" + quote(packed(TRACK))),
        ("", "/track?data=" + quote(json.dumps(TRACK))),
    ],
)
def test_every_way_of_sending_means_the_same(body: str, endpoint: str) -> None:
    found = event(body, endpoint)
    assert found == event([TRACK])
    assert (found.vendor, found.kind, found.name, found.event_id) == ("mixpanel", "track", "Signed Up", "i-1")
    assert (found.anonymous_id, found.user_id, found.properties) == ("d-1", "u-1", {"plan": "pro"})


@pytest.mark.parametrize(
    ("time", "millis"),
    [
        (1_739_692_800, 1_739_692_800_000),
        (1_739_692_800_123, 1_739_692_800_123),
        (1_739_692_800.965, 1_739_692_800_965),
        (1_795_319_174.4024148, 1_795_319_174_402),
    ],
)
def test_seconds_and_milliseconds_are_told_apart(time: float, millis: int) -> None:
    assert event([changed(time=time)]).occurred_at == millis


def test_no_fraction_of_a_second_loses_a_millisecond() -> None:
    for millis in range(1_795_319_606_000, 1_795_319_607_000):
        assert event([changed(time=millis / 1000)]).occurred_at == millis


def test_a_single_id_is_nobody_unless_the_operator_says_whose_it_is() -> None:
    single = changed(**{"$device_id": ..., "$user_id": ...})
    assert (event([single]).anonymous_id, event([single]).user_id) == (None, None)
    assert event([single], single_id="person").user_id == "u-1"
    assert event([single], single_id="device").anonymous_id == "u-1"
    assert event([single], as_sent=True).context["subject"] == "u-1"


def test_a_marked_id_is_a_device() -> None:
    found = event([changed(**{"$device_id": ..., "$user_id": ..., "distinct_id": "$device:d-9"})])
    assert (found.anonymous_id, found.user_id) == ("d-9", None)


def test_profiles_of_people_and_groups() -> None:
    person = event(
        [{"$token": "t", "$distinct_id": "u-1", "$set_once": {"a": 1, "b": 1}, "$set": {"a": 2}, "$add": {"n": 1}}]
    )
    assert (person.kind, person.user_id, person.event_id_derived) == ("identify", "u-1", True)
    assert person.properties == {"a": 2, "b": 1, "$add": {"n": 1}}
    group = event({"$token": "t", "$group_key": "company", "$group_id": "g-1", "$set": {"name": "Initech"}})
    assert (group.kind, group.anonymous_id, group.user_id) == ("group", None, None)
    assert group.context["group_id"] == "g-1"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("$mp_web_page_view", "page"), ("$identify", "identify"), ("$create_alias", "alias"), ("$opt_in", "track")],
)
def test_kinds(name: str, kind: str) -> None:
    assert event([TRACK | {"event": name}]).kind == kind


def test_characters_beyond_the_basic_plane_as_old_clients_write_them() -> None:
    raw = json.dumps(TRACK | {"event": "🎬"}, ensure_ascii=False)
    halves = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    split = "".join(
        character if ord(character) < 0x10000 else character.encode("utf-16-be").decode("utf-16-be")
        for character in halves
    ).replace("🎬", "\ud83c\udfac")
    body = "data=" + quote(base64.b64encode(split.encode("utf-8", "surrogatepass")).decode())
    assert event(body).name == "🎬"
    alone = raw.replace("🎬", "\ud83c").encode("utf-8", "surrogatepass")
    assert why("data=" + quote(base64.b64encode(alone).decode()), vendor="mixpanel") == ("not_utf8", "$")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ([changed(time="soon")], ("bad_time", "$[0].properties.time")),
        ([changed(time=float("1e300"))], ("bad_time", "$[0].properties.time")),
        ([changed(**{"$device_id": [], "distinct_id": "u"})], ("wrong_type", "$[0].properties.$device_id")),
        ([changed(**{"$device_id": ..., "$user_id": ..., "distinct_id": ""})],
         ("missing_field", "$[0].properties.distinct_id")),
        ([TRACK | {"event": ""}], ("missing_field", "$[0].event")),
        ([TRACK | {"properties": 5}], ("wrong_type", "$[0].properties")),
        ({"$token": "t", "$set": {}}, ("missing_field", "$.$distinct_id")),
    ],
)  # fmt: skip
def test_refusals(body: Any, refusal: tuple[str, str]) -> None:
    assert why(body) == refusal


def test_a_bad_item_spoils_no_other() -> None:
    found = entries([TRACK, 5, TRACK])
    assert [isinstance(entry, Event) for entry in found] == [True, False, True]


def test_a_topic_of_mixpanel_refuses_the_rest() -> None:
    assert why("hello", vendor="mixpanel") == ("not_json", "$")
    assert why("data=%%", vendor="mixpanel") == ("not_json", "$")
    assert why("5", vendor="mixpanel") == ("unknown_envelope", "$")
