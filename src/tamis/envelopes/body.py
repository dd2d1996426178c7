"""A record opened once for all vendors that are not asked first: JSON, form or text, and what travelled beside it.

Rules: pure and total; the value is bounded before it comes here (``decoder``), so is the number of form fields; text in
a form or query is percent-decoded as UTF-8, broken sequences become U+FFFD; of a repeated name the last value counts;
names of record headers are compared without regard to case.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from tamis.domain.event import Invalid
from tamis.envelopes import refusal
from tamis.envelopes.embedded import open_data, parse_json
from tamis.envelopes.envelope import Headers

ENDPOINT: Final = "endpoint"
MAX_FIELDS: Final = 4_000
Pairs = Mapping[str, str]


class Body(msgspec.Struct, frozen=True):
    """What a record holds.

    Attributes:
        text: the value as text.
        json: the decoded value; ``msgspec.UNSET`` when it is no JSON.
        refusal: why it is no JSON.
        form: name -> value of a form, empty when the value is none.
        data: JSON, plain or base64, in the field ``data`` of the form, or of the query of a request without a value, or
            the whole value where the query names a compression; Invalid when unreadable, UNSET when it is not there.
        path, query: of the address it was posted to (header ``endpoint``).
        headers: lower-case name -> value.
        received_at: ms.
    """

    text: str
    json: Any
    refusal: Invalid
    form: Pairs
    data: Any
    path: str
    query: Pairs
    headers: Pairs
    received_at: int

    def __repr__(self) -> str:
        return f"<Body characters={len(self.text)}>"

    @property
    def is_json(self) -> bool:
        """Whether the value is JSON."""
        return self.json is not msgspec.UNSET


def pairs(text: str) -> Pairs:
    """A query or form as name -> value; empty when it has too many fields."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}


def header_texts(headers: Headers) -> dict[str, str]:
    """Headers with lower-case names; a header without a value is left out."""
    return {name.lower(): raw.decode("utf-8", "replace") for name, raw in headers if raw is not None}


def address(endpoint: str) -> tuple[str, str]:
    """Path and query of an address, absolute or not."""
    before, _, query = endpoint.partition("#")[0].partition("?")
    scheme, mark, rest = before.partition("://")
    return ("/" + rest.partition("/")[2] if mark else scheme), query


def open_body(value: bytes, headers: Headers, received_at: int) -> Body:
    """Opens a record.

    Args:
        value: valid UTF-8, may be empty.
        headers: record headers.
        received_at: ms.
    """
    texts = header_texts(headers)
    path, query = address(texts.get(ENDPOINT, ""))
    found = parse_json(value) if value else refusal.EMPTY
    text = value.decode()
    form = pairs(text.strip()) if isinstance(found, Invalid) and "=" in text else {}
    asked = pairs(query) if query else {}
    return Body(
        text=text,
        json=msgspec.UNSET if isinstance(found, Invalid) else found,
        refusal=found if isinstance(found, Invalid) else refusal.UNKNOWN,
        form=form,
        data=_data(text, form, asked) if isinstance(found, Invalid) else msgspec.UNSET,
        path=path,
        query=asked,
        headers=texts,
        received_at=received_at,
    )


def _data(text: str, form: Pairs, query: Pairs) -> Any:
    data = form.get("data") or ("" if text else query.get("data"))
    if not data and text and "compression" in query and "data" not in form:
        data = text.strip()
    return open_data(data) if data else msgspec.UNSET
