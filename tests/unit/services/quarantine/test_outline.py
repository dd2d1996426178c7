"""The structure of an original says nothing of its contents."""

import json
from typing import Any

import pytest

from tamis.services.quarantine.outline import MAX_DEPTH, MAX_ITEMS, outline, outline_headers

SECRETS = ("zoe@example.test", "Zoë Müller", "+43 660 1234567", "198.51.100.7", "d3b07384-d9a0-4c9b-8a3d-0a1b2c3d4e5f")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_value_and_no_key_that_is_no_word_is_shown(secret: str) -> None:
    body = {"event": secret, "list": [secret, {"deep": secret}], secret: 1, f"x {secret}": {secret: None}}
    for original in (
        json.dumps(body).encode(), secret.encode(), f"uid={secret}&q=1".encode(), f"a\t{secret}\tb".encode(),
        json.dumps(body).encode()[:-3], json.dumps(body).encode("utf-16"),
    ):  # fmt: skip
        said = json.dumps(outline(original), ensure_ascii=False)
        assert secret not in said
        assert secret[:6] not in said


def test_kinds_lengths_and_looks_are_shown() -> None:
    found = outline(
        b'{"at":"2026-11-20T10:00:00Z","who":"a@b.example","n":7,"id":"12345","ok":true,"none":null,"url":"https://x/",'
        b'"list":[1,"x"],"empty":""}'
    )
    assert found == {
        "at": "<text of 20 characters, looks like a time>",
        "who": "<text of 11 characters, looks like an e-mail address>",
        "n": "<number>", "id": "<text of 5 characters, looks like a number>", "ok": True, "none": None,
        "url": "<text of 10 characters, looks like an address (URL)>", "list": ["<number>", "<text of 1 characters>"],
        "empty": "",
    }  # fmt: skip


def test_what_is_no_json_is_told_by_where_it_breaks_and_its_parameters() -> None:
    assert outline(b"") == "<empty>"
    assert outline(b'{"a":1') == {"<not JSON>": "cut off, or not UTF-8", "<text>": "6 characters, 0 tabs, 0 lines"}
    assert outline(b'{"a":x}')["<not JSON>"] == "breaks at byte 5"
    found = outline(b"idsite=1&uid=zoe&action_name=Home")
    assert {"idsite", "uid", "action_name"} <= set(found)
    assert outline(b"\xff\xfe")["<bytes>"] == "2, not UTF-8"


def test_two_keys_that_are_masked_alike_are_both_there() -> None:
    assert len(outline(b'{"1234567":1,"7654321":2,"1111111":3}')) == 3


@pytest.mark.parametrize(
    "body", [{"k" * 5: [0] * 1_000}, {f"k{n}": n for n in range(100)}, {"a": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}]
)
def test_large_ones_are_cut(body: dict[str, Any]) -> None:
    said = json.dumps(outline(json.dumps(body).encode()))
    assert len(said) < 3_000
    assert "more>" in said or "<list of 1>" in said
    assert MAX_ITEMS < 100
    assert MAX_DEPTH < 16


def test_headers_keep_their_names() -> None:
    assert outline_headers((("endpoint", b"https://x/?uid=zoe"), ("gone", None), ("zoe@x.example", b"\xff"))) == {
        "endpoint": "<text of 18 characters, looks like an address (URL)>", "gone": "null",
        "<key of 13 characters>": "<text of 1 characters>",
    }  # fmt: skip
