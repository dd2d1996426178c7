"""What is decoded shows nothing a sender wrote when it is printed: a text of it may end up in a log or an error."""

from __future__ import annotations

from tamis.bundles.consent_reader import consent_reader
from tamis.domain.event import Event
from tamis.envelopes.body import open_body
from tamis.envelopes.decoder import Decoder
from tamis.services.quarantine.opening import Original
from tamis.settings import Settings
from tests.support.canaries import Canaries, Search, planted
from tests.support.consent_payload_samples import payloads
from tests.support.payloads import KEY, RECEIVED_AT


def test_events_bodies_and_originals_print_nothing() -> None:
    canaries, decoder, events = Canaries(), Decoder(KEY), 0
    shown = []
    for value, headers in list(planted(canaries, ())):
        found = decoder.decode(value, headers, RECEIVED_AT)
        events += sum(isinstance(each, Event) for each in found) if isinstance(found, list) else 0
        shown += [repr(found), str(found), f"{found}", repr(Original(value, headers, cut=False))]
        if value.isascii():
            shown.append(repr(open_body(value, headers, RECEIVED_AT)))
    assert events > 200
    assert Search(canaries.made).found("\n".join(shown).encode()) is None


def test_statements_print_nothing() -> None:
    canaries, read = Canaries(), consent_reader(Settings()).read
    bodies = [
        body.replace(b"d-1", canaries.new("{}").encode()).replace(b"u-1", canaries.new().encode())
        for _, body in payloads()
    ]
    shown = "\n".join(repr(read(body)) for body in bodies)
    assert "Statement" in shown
    assert Search(canaries.made).found(shown.encode()) is None
