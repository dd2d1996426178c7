"""Repeats on the same partition, across a kill -9 and rebalances: each is found, and no original is dropped."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tamis.records.topics import Topic
from tests.support.system import System, now_ms
from tests.support.traffic import stamp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS, EVENTS = 4, 1_500
SHARE, CONFLICTS = 0.05, 0.005


class Sender:
    """Sends events, and some of them again: at once, or when other workers have the partition.

    Attributes:
        expected: place -> outcome that must stand in its leaf.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._draw = random.Random(7)
        self._sent: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self._turn = self._number = 0
        self.expected: dict[tuple[int, int, int], str] = {}

    def phase(self) -> None:
        """Some more events; `System.send` puts them on partitions in turn, so the turn says which have been there."""
        values, fates = [], []
        for _ in range(EVENTS):
            before = self._sent[self._turn % PARTITIONS]
            chance = self._draw.random()
            if before and chance < SHARE:
                values.append(again(self._draw.choice(before)))
                fates.append("duplicate")
            elif before and chance < SHARE + CONFLICTS:
                values.append(self._draw.choice(before).replace(b'"n":', b'"n":1'))
                fates.append("conflict")
            else:
                values.append(self._first())
                fates.append("denied")
                before.append(values[-1])
            self._turn += 1
        for (partition, offset), fate in zip(self._system.send(values), fates, strict=True):
            self.expected[partition, offset, 0] = fate

    def _first(self) -> bytes:
        self._number += 1
        body = {
            "messageId": f"m-{self._number}", "type": "track", "event": "PDF Download", "anonymousId": "anonymous",
            "timestamp": stamp(now_ms()), "sentAt": stamp(now_ms()), "properties": {"n": self._number},
        }  # fmt: skip
        return json.dumps(body, separators=(",", ":")).encode()


def again(value: bytes) -> bytes:
    """The same event, sent again later."""
    return json.dumps(json.loads(value) | {"sentAt": stamp(now_ms() + 1_000)}, separators=(",", ":")).encode()


def test_every_repeat_is_found_and_no_original_dropped(kafka: KafkaCluster, tmp_path: Path) -> None:
    with System(kafka, tmp_path, raw_partitions=PARTITIONS) as system:
        system.start("replica")
        system.start("worker", "--role", "consent")
        system.wait_for_consent()
        first = system.start("worker", "--role", "intake")
        sender = Sender(system)
        sender.phase()
        system.wait_for_intake()
        sender.phase()  # decided by whoever comes next, in part
        first.kill()
        second = system.start("worker", "--role", "intake")
        sender.phase()
        third = system.start("worker", "--role", "intake")
        system.wait_for_intake()
        sender.phase()  # shared by two
        system.wait_for_intake()
        second.stop()
        sender.phase()  # the one that is left has all
        system.wait_for_intake()
        assert third.exit_code() is None
        found = {place: leaf["out"] for place, leaf in system.leaves().items()}
        wrong = {at: (out, found.get(at)) for at, out in sender.expected.items() if found.get(at) != out}
        assert not wrong, f"{len(wrong)} of {len(sender.expected)}, the first: {list(wrong.items())[:3]}"
        assert found.keys() == sender.expected.keys()
        counts = Counter(found.values())
        assert min(counts["duplicate"], counts["conflict"]) > PARTITIONS
        quarantined = Counter(entry["reason"] for entry in system.values(Topic.EVENTS_QUARANTINE))
        assert quarantined == {"conflict": counts["conflict"]}
