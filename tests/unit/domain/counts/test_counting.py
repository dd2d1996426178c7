"""What intake counts: every event once, by all facets, with its subject and, if quarantined, its producer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tamis.domain.audit.log import AuditLog
from tamis.domain.consent.model import Status
from tamis.domain.counts.sketch import estimate
from tamis.domain.tally import Facets
from tamis.records.batch import RawBatch
from tamis.records.metrics import Partial, decode_partial
from tamis.stores.sightings.memory import MemorySightings
from tamis.streaming.agents.partials import PartialsPacker
from tests.support.core import START, ConsentTable, StoredRecord, small_intake, track

if TYPE_CHECKING:
    from tamis.domain.tally import Tally

PAGE = {"url": "https://shop.example.test/p"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1"
LIBRARY = {"name": "analytics.js", "version": "2.1.0"}


def counted(*bodies: bytes) -> Tally:
    consent = ConsentTable()
    consent.set_device("device-1", analytics=Status.GRANTED, marketing=Status.GRANTED)
    records = [StoredRecord(i, START + i, body) for i, body in enumerate(bodies)]
    batch = RawBatch("events.raw", 0, records, 0, len(records), START)
    return small_intake(consent).process(AuditLog("events.raw/0"), batch, MemorySightings(60)).tally


BODIES = (
    track("m-1", context={"page": PAGE, "userAgent": PHONE, "campaign": {"medium": "email"}}),
    track("m-2", context={"page": PAGE, "userAgent": PHONE, "campaign": {"medium": "email"}}),
    track("m-3", context={"page": PAGE, "campaign": {"medium": "cpc", "source": "google"}}, anonymousId="device-2"),
    track("m-4", event="Unplanned", context={"page": PAGE}),
    track("m-1", context={"page": PAGE, "userAgent": PHONE, "campaign": {"medium": "email"}}),
    track("m-2", context={"page": PAGE, "library": LIBRARY}, properties={"plan": "other"}),
    b'{"type":"track","context":{"library":{"name":"analytics.js","version":"2.1.0"}}}',
    b"no json",
)


def test_every_event_is_counted_once_by_all_facets() -> None:
    found = Counter({group: sums.n for group, sums in counted(*BODIES).groups.items()})
    minute = START // 60_000
    signup, nobody = "newsletter_signup", Facets()
    assert found == Counter(
        {
            ("shop", signup, minute, "accepted", "granted", Facets("intent", "email", "mobile")): 2,
            ("shop", signup, minute, "denied", "no_record", Facets("intent", "paid_search", "-")): 1,
            ("shop", "-", minute, "accepted", "granted", Facets("-", "direct", "-")): 1,
            ("shop", "-", minute, "duplicate", "duplicate", Facets("-", "email", "mobile")): 1,
            ("shop", "-", minute, "conflict", "conflict", Facets("-", "direct", "-", "analytics.js/2.1.0")): 1,
            ("-", "-", minute, "invalid", "missing_field", Facets(producer="analytics.js/2.1.0")): 1,
            ("-", "-", minute, "invalid", "not_json", nobody): 1,
        }
    )


def test_partials_carry_facets_values_and_sketches_of_the_series() -> None:
    packer = PartialsPacker("events.raw/0", 1, 3, 1_000)
    partials = [decode_partial(value) for _, value in packer.pack(counted(*BODIES), 0, 8, START)]
    cells = [cell for partial in partials for cell in partial.cells]
    assert sum(cell.n for cell in cells) == len(BODIES)
    assert {(c.stage, c.channel, c.device, c.value) for c in cells if c.outcome == "accepted" and c.stage != "-"} == {
        ("intent", "email", "mobile", 10.0)
    }
    assert _distinct(partials) == {"shop/newsletter_signup": 2, "shop/-": 1}


def _distinct(partials: list[Partial]) -> dict[str, int]:
    return {seen.series: estimate(seen.sketch) for partial in partials for seen in partial.subjects}


def test_no_id_and_no_text_of_a_sender_is_in_the_counts() -> None:
    packer = PartialsPacker("events.raw/0", 1, 1, 1_000)
    hostile = track(
        "zoe", userId="zoe@example.test",
        context={"page": PAGE, "campaign": {"medium": "zoe", "source": "zoe"}, "userAgent": "zoe",
                 "library": {"name": "zoe", "version": "zoe"}, "app": {"version": "zoe"}},
    )  # fmt: skip
    for _, value in packer.pack(counted(hostile, hostile.replace(b"pro", b"con"), hostile[:-1]), 0, 3, START):
        assert b"zoe" not in value
