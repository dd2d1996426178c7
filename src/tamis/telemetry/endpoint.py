"""The HTTP endpoint Prometheus scrapes.

Rules: bound to the address of the settings and nothing else; it shows one registry and reads nothing from callers; a
port that cannot be had is the operator's to mend.
"""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from tamis.settings import SetupError


class Endpoint:
    """A running endpoint.

    Args:
        registry: what it shows.
        host: address to bind to.
        port: 0 takes any free one.

    Attributes:
        port: the one it is bound to.

    Raises:
        SetupError: the address cannot be bound.
    """

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        started: tuple[WSGIServer, Thread]
        try:
            started = start_http_server(port, host, registry)
        except OSError as error:
            raise SetupError(f"telemetry.port: {host}:{port} cannot be bound: {error.strerror}") from None
        self._server, self._thread = started
        self.port: int = self._server.server_port

    def stop(self) -> None:
        """Close it; returns when no more requests are answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
