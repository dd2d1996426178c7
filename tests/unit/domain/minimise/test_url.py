"""Addresses lose what may name a person."""

from typing import Any

import pytest

from tamis.domain.minimise.keep import keep, keep_address, keep_for
from tamis.domain.minimise.url import host, page

ADDRESSES = [
    ("https://shop.example.test/p?email=a@b.c", "https://shop.example.test/p"),
    ("HTTPS://shop.example.test/p#token", "HTTPS://shop.example.test/p"),
    ("https://shop.example.test/p;jsessionid=1", "https://shop.example.test/p"),
    ("https://jane:secret@shop.example.test/p", "https://shop.example.test/p"),
    ("https://shop.example.test/jane@example.test/x", "https://shop.example.test"),
    ("https://shop.example.test/jane%40example.test", "https://shop.example.test"),
    ("  https://shop.example.test/p?q=jane doe", "  https://shop.example.test/p"),
    ("//shop.example.test/p?q=1", "//shop.example.test/p"),
    ("android-app://com.example.app?x=1", "android-app://com.example.app"),
    ("/pricing?email=a@b.c", "/pricing"),
    ("/jane@example.test//x", "//x"),
]


@pytest.mark.parametrize(("sent", "kept"), ADDRESSES)
def test_addresses_are_cut_wherever_they_stand(sent: str, kept: str) -> None:
    assert keep(sent) == kept
    assert keep_address(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Really? Yes", "Really? Yes"),
        ("Why?", "Why?"),
        ("either/or", "either/or"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("see https://shop.example.test/p?email=a@b.c for more", "see https://shop.example.test/p"),
        ("see https://jane@shop.example.test/p", "see https://shop.example.test/p"),
        ("www.example.test/p?email=a@b.c now", "www.example.test/p"),
        ("?utm_source=a", None),
        ("#1 choice", "#1 choice"),
    ],
)
def test_text_with_addresses_in_it(sent: str, kept: str | None) -> None:
    assert keep(sent) == kept


@pytest.mark.parametrize("key", ["url", "path", "search", "Referrer", "page_location"])
def test_keys_of_addresses_are_always_taken_for_addresses(key: str) -> None:
    assert keep_for(key)("shop.example.test/p;id=1?q") == "shop.example.test/p"
    assert keep_for(key)("?q=1") is None
    assert keep_for(key)(7) == 7
    assert keep_for("plan")("a;b") == "a;b"


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("https://Shop.Example.test:8443/p/1?q=1#x", "https://shop.example.test/p/1"),
        ("http://shop.example.test", "http://shop.example.test/"),
        ("https://u:p@shop.example.test/a", "https://shop.example.test/a"),
        ("https://shop.example.test/jane@x.test", "https://shop.example.test/"),
        ("/pricing?q=1", "/pricing"),
        ("//shop.example.test/p", None),
        ("javascript:alert(1)", None),
        ("file:///srv/jane/x", None),
        ("https:///p", None),
        ("https://[::1]/p", None),
        ("shop.example.test", None),
        ("", None),
        (None, None),
        (7, None),
        (["https://a.test/"], None),
        ("https://a.test/" + "x" * 9_000, None),
    ],
)
def test_generalised_page(sent: Any, found: str | None) -> None:
    assert page(sent) == found


def test_long_pages_are_bounded() -> None:
    found = page("https://a.test/" + "x" * 5_000 + "?secret")
    assert found is not None
    assert len(found) == 1_024


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("https://www.Example.com/search?q=jane", "www.example.com"),
        ("android-app://com.google.android.gm/", "com.google.android.gm"),
        ("https://jane@mail.example.com", "mail.example.com"),
        ("/relative", None),
        ("", None),
        (True, None),
        ("https://a.test/" + "y" * 600 + "?q", "a.test"),
    ],
)
def test_generalised_referrer(sent: Any, found: str | None) -> None:
    assert host(sent) == found
