"""A sender who never says the same word twice: a million distinct event names, and the core stays small."""

from __future__ import annotations

import os

import pytest

from tamis.demo.bench.measure import private_mb
from tamis.domain.audit.log import AuditLog
from tamis.domain.tally import NO_RULE
from tamis.records.batch import RawBatch
from tests.support.core import START, ConsentTable, StoredRecord, small_intake

pytestmark = pytest.mark.slow

NAMES = 1_000_000
WARM = 100_000
BATCH = 4_000
VISITORS = 997
GROWTH_MB = 24.0


def strange(number: int) -> bytes:
    return (
        b'{"type":"track","event":"name-%d","messageId":"m-%d","anonymousId":"visitor-%d",'
        b'"context":{"page":{"url":"https://host-%d.example.test/"},"consent":{"categoryPreferences":{"c-%d":true}}}}'
    ) % (number, number, number % VISITORS, number, number)


def test_a_million_distinct_names_hosts_and_categories_leave_nothing_behind() -> None:
    intake, log, warm = small_intake(ConsentTable()), AuditLog("events.raw/0"), 0.0
    for first in range(0, NAMES, BATCH):
        records = [StoredRecord(n, START + n, strange(n)) for n in range(first, first + BATCH)]
        emissions = intake.process(log, RawBatch("events.raw", 0, records, first, first + BATCH, 0))
        assert sum(emissions.tally.by_outcome().values()) == BATCH
        assert {rule for _, rule, *_ in emissions.tally.groups} == {NO_RULE}
        assert len(emissions.tally.groups) <= 2, "series do not follow what senders choose"
        if first == WARM:
            warm = private_mb(os.getpid())
    grown = private_mb(os.getpid()) - warm
    assert grown < GROWTH_MB, f"{grown:.0f} MB"
    assert log.seq == NAMES
