"""One POST over a connection that is kept open: what witnesses and timestamp authorities are asked with.

Rules: http and https only, certificates checked, no redirects followed, no cookies, no proxy; an answer is read up to a
limit; the connection is made anew after any failure. One thread at a time.
"""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import msgspec


class HttpError(Exception):
    """No answer: refused, timed out, cut off, too long. The message holds no address."""


class HttpReply(msgspec.Struct, frozen=True):
    """An answer: status, body, and headers by lower-case name."""

    status: int
    body: bytes
    headers: dict[str, str]


def check_url(url: str) -> SplitResult:
    """The parts of an address that can be asked.

    Raises:
        ValueError: it is not http or https with a host, or carries a user name, query or fragment.
    """
    parts = urlsplit(url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise ValueError("an address is http://host[:port]/path or https://host[:port]/path")
    _ = parts.port  # raises ValueError when it is none
    return parts


class Poster:
    """Posts to one address.

    Args:
        url: whole address.
        timeout_s: for connecting and for each wait.
        max_bytes: longest answer.
    """

    def __init__(self, url: str, timeout_s: float, max_bytes: int) -> None:
        self._parts = check_url(url)
        self._timeout_s, self._max_bytes = timeout_s, max_bytes
        self._connection: HTTPConnection | None = None

    def post(self, body: bytes, content_type: str) -> HttpReply:
        """Ask once; a kept connection that the other side closed meanwhile is replaced.

        Raises:
            HttpError: there is no answer.
        """
        kept = self._connection is not None
        try:
            return self._post(body, content_type)
        except (ConnectionError, HTTPException) as error:
            self.close()
            if not kept:
                raise HttpError(f"no answer: {type(error).__name__}") from None
        except OSError as error:
            self.close()
            raise HttpError(f"no answer: {type(error).__name__}") from None
        try:
            return self._post(body, content_type)
        except (OSError, HTTPException) as error:
            self.close()
            raise HttpError(f"no answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes, content_type: str) -> HttpReply:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._parts.path or "/", body, {"Content-Type": content_type})
        response = self._connection.getresponse()
        content = response.read(self._max_bytes + 1)
        if len(content) > self._max_bytes:
            self.close()
            raise HttpError("the answer is too long")
        if response.length:
            self.close()
            raise HttpError("the answer was cut off")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return HttpReply(response.status, content, headers)

    def _connect(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout_s, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=self._timeout_s)
