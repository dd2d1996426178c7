"""Writes what the core gives for a batch: outputs, audit leaves and their head, in the batch's transaction.

Rules: leaves stand in front of their head, notices in front of the leaves; records that go by key do so by the hash all
producers use. Not handled here: counts (``partials``), what is only written by one role.
"""

from collections.abc import Callable

from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.records.batch import Emissions
from tamis.records.topics import Topic
from tamis.streaming.transport.batch import Batch

_ONE_PARTITION = frozenset({Topic.REVIEW_SAMPLES})


def send_emissions(
    batch: Batch, emissions: Emissions, topic: Callable[[str], str], log: str, partitions: int, stamp: int | None
) -> None:
    """Sends everything but counts; outputs are encoded now and let go.

    Args:
        batch: whose transaction it is.
        emissions: of the core.
        topic: short name -> full topic name.
        log: full name of the topic of audit logs.
        partitions: of the topics that are written by key.
        stamp: record time of all of it, ms, None for now.
    """
    for name, records in emissions.outputs.items():
        if records:
            batch.send(topic(name), records, partition=0 if name in _ONE_PARTITION else None, timestamp_ms=stamp)
            records.clear()  # encoded now, while the counts are kept until the commit
    for name, records in emissions.keyed.items():
        batch.send_keyed(topic(name), records, partitions, timestamp_ms=stamp)
    if emissions.leaves or emissions.notices:
        batch.send(log, [(None, leaf) for leaf in (*emissions.notices, *emissions.leaves)], timestamp_ms=stamp)
    if emissions.head is not None:
        batch.send(log, [(None, emissions.head)], headers=(HEAD_HEADER,), timestamp_ms=stamp)
