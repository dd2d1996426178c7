"""Reference (c): the plain job as an agent of stock Faust, one ``send`` an output record.

Usage: ``python -m tamis.streaming.references.stock_faust BOOTSTRAP GROUP INPUT OUTPUTS...``. At-least-once: stock
exactly-once loses and duplicates (docs/adr/0001-batch-transport-and-exactly-once.md) and costs more.
"""

import sys
import tempfile
from typing import Any

import faust

from tamis.streaming.references.step import step


def make(bootstrap: str, group: str, source: str, outputs: tuple[str, ...], datadir: str) -> Any:
    """The Faust app."""
    app = faust.App(
        group, broker=f"kafka://{bootstrap}", key_serializer="raw", value_serializer="raw", store="memory://",
        web_enabled=False, topic_disable_leader=True, topic_allow_declare=False, datadir=datadir, autodiscover=False,
        consumer_auto_offset_reset="earliest", producer_compression_type="lz4", broker_commit_interval=1.0,
        stream_buffer_maxsize=65_536, producer_acks=-1,
    )  # fmt: skip
    raw = app.topic(source)
    topics = [app.topic(name) for name in outputs]

    @app.agent(raw)  # type: ignore[untyped-decorator]
    async def plain(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            for output, key, value in step(message.partition, message.offset, event.value):
                await topics[output].send(key=key, value=value, partition=message.partition)

    return app


if __name__ == "__main__":
    app = make(sys.argv[1], sys.argv[2], sys.argv[3], tuple(sys.argv[4:]), tempfile.mkdtemp(prefix="stock-faust-"))
    sys.argv = ["stock", "worker", "-l", "warn", "--without-web"]
    app.main()
