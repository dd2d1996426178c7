"""What a process shows is read back; what is no exposition is told in words."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tamis.telemetry.endpoint import Endpoint
from tamis.telemetry.exposition import NoAnswerError, parse, scrape
from tamis.telemetry.metrics import Telemetry, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    telemetry = Telemetry(vocabulary("0.1.0", "replica"))
    telemetry.edge("consent").batch_committed("consent.raw", 0, 7, 0.1, 0.1)
    made = Endpoint(telemetry.registry, "127.0.0.1", 0)
    yield made
    made.stop()


def test_a_process_is_read_back(endpoint: Endpoint) -> None:
    found = scrape("127.0.0.1", endpoint.port, 5.0)
    assert list(found.of("tamis_records_total")) == [({"role": "consent", "topic": "consent.raw"}, 7.0)]
    assert [labels["roles"] for labels, _ in found.of("tamis_worker_info")] == ["replica"]


def _answering(answer: bytes) -> int:
    """The port of a server that gives one answer and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            connection.recv(4_096)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SSH-2.0-x\r\n", "does not speak HTTP"),
        (b"", "closes without an answer|reset"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"not": "it"', "no Prometheus exposition"),
    ],
)
def test_another_answer_is_told_in_words(answer: bytes, why: str) -> None:
    with pytest.raises(NoAnswerError, match=why):
        scrape("127.0.0.1", _answering(answer), 5.0)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoAnswerError, match="refused"):
        scrape("127.0.0.1", port, 1.0)
    with pytest.raises(NoAnswerError, match=r"silent|name|resolution|not known"):
        scrape("host.invalid", port, 1.0)


def test_series_of_others_are_left_out() -> None:
    assert parse("go_threads 7\ntamis_fatal_total 1\n").samples == {("tamis_fatal_total", ()): 1.0}
