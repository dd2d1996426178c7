"""The search for canaries finds one in any of the usual forms, and nothing where there is none."""

import hashlib
import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.support.canaries import MARKER, Canaries, Search, planted

CANARIES = Canaries()
WHOLE = CANARIES.new()
SEARCH = Search(CANARIES.made, ["Zoë Ångström", "+44 20 7946 0958"])

Form = Callable[[str], bytes]
FORMS: dict[str, Form] = {
    "plain": str.encode,
    "upper case": lambda text: text.upper().encode(),
    "percent": lambda text: quote(text).encode(),
    "every byte percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "base64": lambda text: b64encode(text.encode()),
    "base64 after one byte": lambda text: b64encode(b"x" + text.encode()),
    "base64 within": lambda text: urlsafe_b64encode(b"xy" + text.encode() + b"tail"),
    "in LMDB's middle": lambda text: secrets.token_bytes(50) + text.encode() + secrets.token_bytes(50),
}
DIGESTS: dict[str, Form] = {
    name: lambda text, name=name: hashlib.new(name, text.encode()).hexdigest().encode()  # type: ignore[misc]
    for name in ("md5", "sha1", "sha256")
}
DIGESTS["base64 of SHA-256"] = lambda text: b64encode(hashlib.sha256(text.encode()).digest())
DIGESTS["22 characters of SHA-256"] = lambda text: urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16])[:22]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("text", [WHOLE, MARKER, "Zoë Ångström", "+44 20 7946 0958"])
def test_every_form_is_found(form: Form, text: str) -> None:
    if form is FORMS["upper case"] and text.startswith("Zoë"):
        return  # only ASCII is looked for in either case
    assert SEARCH.found(b'{"a":"' + form(text) + b'"}') is not None


@pytest.mark.parametrize("digest", DIGESTS.values(), ids=DIGESTS)
def test_a_plain_digest_is_found(digest: Form) -> None:
    assert SEARCH.found(b'{"id":"' + digest(WHOLE) + b'"}') is not None


def test_nothing_is_found_where_nothing_is() -> None:
    for size in (0, 10, 100_000):
        assert SEARCH.found(secrets.token_bytes(size)) is None
        assert SEARCH.found(b64encode(secrets.token_bytes(size))) is None
        assert SEARCH.found(secrets.token_hex(size).encode()) is None


def test_every_vendor_gets_canaries_in_many_places() -> None:
    canaries = Canaries()
    records = list(planted(canaries, {"sku"}))
    assert len(records) > 300
    assert len(set(canaries.made)) == len(canaries.made) > len(records)
    search = Search(canaries.made)
    assert all(
        search.found(value) or any(search.found(k.encode() + v) for k, v in headers) for value, headers in records
    )
