"""aiokafka's compiled record writer uses our encoder, and what it writes is a frame every Kafka client reads."""

from __future__ import annotations

import cramjam
import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record._crecords import default_records

from tamis.streaming.transport import compression

BLOCK_INDEPENDENT = 0x20


@pytest.mark.parametrize("payload", [b"", b"a", bytes(range(256)) * 400, b"event " * 50_000])
def test_round_trip(payload: bytes) -> None:
    frame = compression.lz4_encode(payload)
    assert bytes(cramjam.lz4.decompress(frame)) == payload
    assert frame[:4] == b"\x04\x22\x4d\x18"
    assert frame[4] & BLOCK_INDEPENDENT, "Kafka brokers refuse linked blocks (KIP-57)"


def test_the_compiled_writer_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def spy(payload: bytes) -> bytes:
        calls.append(len(payload))
        return compression.lz4_encode(payload)

    compression.use_fast_lz4()
    assert default_records.lz4_encode is compression.lz4_encode
    monkeypatch.setattr(default_records, "lz4_encode", spy)
    builder = BatchBuilder(100_000, 3)
    for _ in range(100):
        builder.append(timestamp=1, key=None, value=b"value " * 20)
    builder._build()
    assert len(calls) == 1
