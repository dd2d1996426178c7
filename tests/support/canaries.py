"""Unique false identities, planted wherever a sender can put something, and the search for them in what comes out.

Rules: every canary holds one marker, so that a part of one is found as well, in plain and in the usual encodings;
whole ones are also looked for as plain digests, in hexadecimal and base64. What a destination's allow-list keeps as it
stands is not planted: it is meant to leave (docs/receives.md lists it).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.support.payloads import FILES, load, record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from tamis.domain.bundle import Bundle

MARKER = "zqcanaryx"
_HEX = re.compile(rb"[0-9a-f]{32,64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{22,86}={0,2}")
_HASHES = ("md5", "sha1", "sha256", "sha512")


class Canaries:
    """Makes them and remembers them.

    Attributes:
        made: all so far.
    """

    def __init__(self) -> None:
        self.made: list[str] = []

    def new(self, form: str = "{}@example.test") -> str:
        """A new one; ``form`` is the text around it."""
        found = form.format(f"{MARKER}{len(self.made):06x}")
        self.made.append(found)
        return found


Sent = tuple[bytes, list[tuple[str, bytes]]]
"""Value and headers of a record."""


def planted(canaries: Canaries, kept: Collection[str]) -> Iterator[Sent]:
    """Records of every vendor, each with a canary in one place: a value, a key, the address, a header, after the end.

    Args:
        canaries: makes them.
        kept: names of fields that are left alone.
    """
    for path in one_a_vendor():
        value, headers = record(load(path))
        yield from _in_json(canaries, value, headers, kept)
        yield value + canaries.new().encode(), headers
        yield canaries.new('{{"anonymousId": "{}').encode(), headers
        yield value[: len(value) // 2] + canaries.new().encode(), headers
        yield value, [*headers, ("x-user", canaries.new().encode())]
        yield value, [*headers, (canaries.new("{}"), b"1")]
        address = canaries.new("https://t.example.test/?uid={}&q=1#frag")
        yield value, [each for each in headers if each[0] != "endpoint"] + [("endpoint", address.encode())]
        yield canaries.new("idsite=1&rec=1&uid={}@example.test&action_name=Home&_id=0123456789abcdef").encode(), headers


def one_a_vendor() -> list[Path]:
    """A captured request of a plain event of each vendor."""
    found: dict[str, Path] = {}
    for path in FILES:
        if "track" in path.stem:
            found.setdefault(path.parent.name, path)
    return list(found.values())


def _in_json(
    canaries: Canaries, value: bytes, headers: list[tuple[str, bytes]], kept: Collection[str]
) -> Iterator[Sent]:
    try:
        whole = json.loads(value)
    except ValueError:
        return
    for holder, key in _places(whole):
        before = holder[key]
        if key in kept:
            continue
        url = isinstance(before, str) and before.startswith("http")
        holder[key] = canaries.new("https://shop.example.test/p?m={}@x.test") if url else canaries.new()
        yield json.dumps(whole).encode(), headers
        holder[key] = before
        if isinstance(holder, dict):
            name = canaries.new("{}")
            holder[name] = {"deep": [canaries.new(), [canaries.new("call +43 660 {}")]]}
            yield json.dumps(whole).encode(), headers
            del holder[name]


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every scalar and its holder."""
    found: list[tuple[Any, Any]] = []
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(value, dict | list):
            found += _places(value)
        else:
            found.append((node, key))
    return found


class Search:
    """Looks for canaries, and for texts, in bytes.

    Args:
        canaries: whole ones.
        texts: other identities, looked for whole.
    """

    def __init__(self, canaries: Iterable[str], texts: Iterable[str] = ()) -> None:
        whole = list(dict.fromkeys((*canaries, *texts)))
        needles = {form for text in (MARKER, *texts) for form in forms(text)}
        self._needles = re.compile(b"|".join(re.escape(each) for each in sorted(needles, key=len, reverse=True)))
        self._digests = {form for text in whole for form in _digests(text)}

    def found(self, data: bytes) -> str | None:
        """How one shows in ``data``, None when none does."""
        lower = data.lower()
        if hit := self._needles.search(data) or self._needles.search(lower):
            return f"{hit[0][:40]!r} in {data[max(0, hit.start() - 60) : hit.end() + 60]!r}"
        for word in (*_HEX.findall(lower), *(each.rstrip(b"=") for each in _BASE64.findall(data))):
            if word in self._digests:
                return f"a digest, {word[:12]!r}..."
        return None


def forms(text: str) -> set[bytes]:
    """A text as it may be written: plain, percent-encoded, JSON, base64 at each alignment, hexadecimal, UTF-16."""
    raw = text.encode()
    found = {raw, raw.hex().encode(), json.dumps(text)[1:-1].encode()}
    found |= {text.encode("utf-16-le"), text.encode("utf-16-be")}
    found |= {b"".join(b"%%%02X" % byte for byte in raw), b"".join(b"%%%02x" % byte for byte in raw)}
    found.add(b"".join(b"\\u%04x" % ord(character) for character in text))
    found.add(quote(text, safe="").encode())
    for shift in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            core = encode(b"\0" * shift + raw + b"\0" * 3)
            first = -(-shift * 4 // 3)
            last = (shift + len(raw)) * 4 // 3
            found.add(core[first:last])
    return {each for each in found if len(each) > 5}


def _digests(text: str) -> Iterator[bytes]:
    for variant in {text, text.lower(), text.strip()}:
        for name in _HASHES:
            digest = hashlib.new(name, variant.encode()).digest()
            yield from (digest.hex().encode(), digest.hex()[:32].encode())
            for cut in (digest, digest[:16]):
                yield b64encode(cut).rstrip(b"=")
                yield urlsafe_b64encode(cut).rstrip(b"=")


def kept_names(bundle: Bundle) -> set[str]:
    """Last names of the paths that a bundle's destinations keep as they stand, from its own source."""
    written = json.loads(bundle.source)["destinations"]
    return {
        line["from"].rpartition(".")[2]
        for destination in written for line in destination["fields"].values() if line["action"] == "keep"
    }  # fmt: skip
