"""Posting: what counts as an answer, and that a kept connection that died is replaced."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tamis.services.http_post import HttpError, Poster, check_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: A\r\n\r\nok"


class Server:
    """Reads one request a turn and answers with the next prepared bytes; None closes the connection."""

    def __init__(self, answers: list[bytes | None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/x"
        self.answers = answers
        self.connections = 0
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self.answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                while self.answers and (request := _request(connection)):
                    self.requests.append(request)
                    answer = self.answers.pop(0)
                    if answer is None:
                        break
                    connection.sendall(answer)

    def close(self) -> None:
        self._listener.close()


def _request(connection: socket.socket) -> bytes:
    """One whole request, which may come in pieces; empty when the other side is gone."""
    text = b""
    while True:
        head, end, body = text.partition(b"\r\n\r\n")
        lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if end and len(body) >= sum(lengths):
            return text
        piece = connection.recv(65_536)
        if not piece:
            return b""
        text += piece


@pytest.fixture
def serve() -> Iterator[Callable[[list[bytes | None]], Server]]:
    servers: list[Server] = []

    def start(answers: list[bytes | None]) -> Server:
        servers.append(Server(answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_the_connection_is_kept_and_replaced_when_it_died(serve: Callable[[list[bytes | None]], Server]) -> None:
    server = serve([ANSWER, ANSWER, None, ANSWER])
    poster = Poster(server.url, 10, 100)
    assert [poster.post(b"body", "text/x").body for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 2
    assert server.requests[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"Content-Type: text/x" in server.requests[0]
    poster.close()


def test_a_redirect_is_an_answer_not_followed(serve: Callable[[list[bytes | None]], Server]) -> None:
    server = serve([b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"])
    assert Poster(server.url, 10, 100).post(b"", "text/x").status == 302


@pytest.mark.parametrize(
    "answer",
    [None, b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
     b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"],
)  # fmt: skip
def test_what_is_no_answer(serve: Callable[[list[bytes | None]], Server], answer: bytes | None) -> None:
    server = serve([answer])
    with pytest.raises(HttpError):
        Poster(server.url, 0.3, 100).post(b"", "text/x")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HttpError, match="ConnectionRefused"):
        Poster(f"http://127.0.0.1:{port}/", 5, 100).post(b"", "text/x")


@pytest.mark.parametrize(
    "url",
    ["", "ftp://h/", "http://", "http://u:p@h/", "http://h/?q=1", "http://h/#f", "http://h:99999/", "file:///etc"],
)
def test_addresses_that_cannot_be_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|range"):
        check_url(url)
