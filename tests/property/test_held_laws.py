"""Laws of held events: whatever stands in the topic, one leaf a record, and nothing leaves that was changed."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.audit.leaf import MAX_LEAF_BYTES, decode_head
from tamis.domain.consent.model import Status
from tamis.domain.held import HeldEvent
from tests.support.core import ConsentTable, track
from tests.support.holding import hold, leaks, leaves, release, sent

SAID = st.sampled_from([None, *Status])
DEVICES = [f"device-{n}" for n in range(4)]


def held_by(consent: ConsentTable) -> list[tuple[bytes | None, bytes]]:
    return sent(hold(consent, *(track(f"m-{device}", anonymousId=device) for device in DEVICES)), "events.held")


def seen_and_not(consent: ConsentTable) -> None:
    """Half of the devices have a record that says nothing."""
    for device in DEVICES[::2]:
        consent.set_device(device)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_changed_record_is_denied_and_has_its_leaf(data: st.DataObject) -> None:
    consent = ConsentTable()
    seen_and_not(consent)
    place = data.draw(st.integers(0, len(DEVICES) - 1))
    key, value = held_by(consent)[place]
    at = data.draw(st.integers(0, len(value) - 1))
    changed = data.draw(
        st.one_of(
            st.just(value[:at]),
            st.binary(max_size=8).map(lambda some: value[:at] + some + value[at + len(some) :]),
            st.binary(min_size=1, max_size=8).map(lambda some: value[:at] + some + value[at:]),
        )
    )
    for device in DEVICES:
        consent.set_device(device, analytics=Status.GRANTED, marketing=Status.GRANTED)
    found = release(consent, (key, changed))
    assert leaks(found) == 0 or _same(changed, value)
    assert len(found.emissions.leaves) == sum(found.fates.values()) == 1
    assert len(found.emissions.leaves[0]) <= MAX_LEAF_BYTES


def _same(changed: bytes, value: bytes) -> bool:
    """Other bytes that say the same: white space, a member nobody reads."""
    try:
        return msgspec.json.decode(changed, type=HeldEvent) == msgspec.json.decode(value, type=HeldEvent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


@settings(max_examples=60, deadline=None)
@given(analytics=st.tuples(*[SAID] * 4), marketing=st.tuples(*[SAID] * 4), last=st.booleans())
def test_only_a_yes_lets_out_and_every_record_ends_in_one_fate(
    analytics: tuple[Status | None, ...], marketing: tuple[Status | None, ...], last: bool
) -> None:
    consent = ConsentTable()
    seen_and_not(consent)
    held = held_by(consent)
    for device, one, other in zip(DEVICES, analytics, marketing, strict=True):
        said = {name: status for name, status in (("analytics", one), ("marketing", other)) if status is not None}
        if said:
            consent.set_device(device, **said)
    found = release(consent, *held, last=last)
    assert len(sent(found, "events.clean")) == analytics.count(Status.GRANTED)
    assert len(sent(found, "crm.hubspot")) == marketing.count(Status.GRANTED)
    outs = [leaf["out"] for leaf in leaves(found)]
    assert len(outs) == len(DEVICES)
    assert len(sent(found, "events.held.last")) == outs.count("forwarded")
    assert not (last and "forwarded" in outs)
    assert found.emissions.head is not None
    counts = decode_head(found.emissions.head).counts
    assert counts == {out: outs.count(out) for out in set(outs)}
    assert found.emissions.tally.by_outcome().get("released", 0) == outs.count("released")
