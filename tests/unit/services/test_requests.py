"""Requests from files and lines: what is read, and what is refused with which path."""

import base64
import gzip
import json
from typing import Any

import pytest

from tamis.domain.event import Invalid
from tamis.services.requests import headers_of, of_file, of_line


def test_a_file() -> None:
    content = {"body": '{"a": 1}', "headers": {"x": 1, "y": None}, "endpoint": "/t", "expect": []}
    assert of_file(json.dumps(content).encode()) == (b'{"a": 1}', [("x", b"1"), ("endpoint", b"/t")])
    assert of_file(b'{"body": ""}') == (b"", [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"value": "{\\"a\\":1}"}', b'{"a":1}'),
        ('{"value": {"a": 9007199254740993, "b": 1.50}}', b'{"a": 9007199254740993, "b": 1.50}'),
        ('{"value": null, "endpoint": null}', b""),
        ('{"value": "é"}', "é".encode()),
    ],
)
def test_a_line(line: str, value: bytes) -> None:
    assert of_line(line.encode()) == (value, [])


def test_bodies_that_are_no_text() -> None:
    raw = gzip.compress(b"x", mtime=0)
    coded = base64.b64encode(raw).decode()
    assert of_line(json.dumps({"value": coded, "value_encoding": "base64"}).encode()) == (raw, [])
    assert of_file(json.dumps({"body": coded, "body_encoding": "base64"}).encode()) == (raw, [])


@pytest.mark.parametrize(
    ("line", "reason", "path"),
    [
        ("", "not_json", "$"),
        ("{", "not_json", "$"),
        ("[]", "wrong_type", "$"),
        ("{}", "missing_field", "$.value"),
        ('{"value": 1, "headers": []}', "wrong_type", "$.headers"),
        ('{"value": "x", "endpoint": 5}', "wrong_type", "$.endpoint"),
        ('{"value": "%", "value_encoding": "base64"}', "wrong_type", "$.value"),
        ('{"value": ' + "[" * 5_000, "too_deep", "$"),
    ],
)
def test_refusals(line: str, reason: str, path: str) -> None:
    assert of_line(line.encode()) == Invalid(reason, path)


@pytest.mark.parametrize("headers", [{"Endpoint": "/a"}, {"endpoint": "/a"}])
def test_an_address_among_the_headers_is_not_doubled(headers: dict[str, Any]) -> None:
    assert len(headers_of(headers, "/b")) == 1
