"""Calls with the microseconds their times were sent with: for showing, where the workers need milliseconds only.

Rules: what the calls' own envelope found is kept; a time is made finer only when a text of the call says the same
millisecond.
"""

from typing import Any

import msgspec

from tamis.domain.event import Event
from tamis.envelopes import stamp
from tamis.envelopes.draft import Moment
from tamis.envelopes.embedded import parse_json
from tamis.envelopes.envelope import Entries, Entry, Envelope, Headers


class Precise:
    """Wraps an envelope of calls."""

    __slots__ = ("_calls",)

    def __init__(self, calls: Envelope) -> None:
        self._calls = calls

    def decode(self, value: bytes, headers: Headers, received_at: int) -> Entries | None:
        """See ``Envelope.decode``."""
        found = self._calls.decode(value, headers, received_at)
        if not isinstance(found, list):
            return found
        body = parse_json(value)
        outer = body if isinstance(body, dict) else {}
        items = outer["batch"] if isinstance(outer.get("batch"), list) else [outer]
        return [_finer(entry, outer, item) for entry, item in zip(found, items, strict=True)]


def _finer(entry: Entry, outer: dict[str, Any], item: Any) -> Entry:
    if not isinstance(entry, Event) or not isinstance(item, dict):
        return entry
    occurred = (item.get("timestamp"), item.get("originalTimestamp"))
    sent = (item.get("sentAt"), outer.get("sentAt"))
    return msgspec.structs.replace(
        entry, occurred_at=_same(entry.occurred_at, occurred), sent_at=_same(entry.sent_at, sent)
    )


def _same(moment: int | None, texts: tuple[Any, ...]) -> int | None:
    micros = (found for found in map(stamp.text, texts) if found is not None)
    return next((Moment(found) for found in micros if found // stamp.MILLISECOND == moment), moment)
