"""The endpoints of a host's processes: which there are by the settings, and one look at all of them at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from tamis.services.scrape_targets import told_ports
from tamis.services.watch.sight import Look
from tamis.settings import Settings, SetupError
from tamis.telemetry.exposition import NoAnswerError, Scrape, scrape

TIMEOUT_S = 2.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what is bound to all is asked on loopback
_MOST_PORT = 65_535


class Address(msgspec.Struct, frozen=True):
    """Host and port of an endpoint."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``[IPv6]:PORT`` or ``PORT`` alone, which is on loopback.

    Raises:
        ValueError: it is none of them.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MOST_PORT or "/" in host:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return Address(_ANY.get(host, host), int(port))


def addresses(settings: Settings, workers: int | None = None) -> tuple[Address, ...]:
    """Where ``tamis run`` with these settings shows its replica, its workers and, behind them, the sealer.

    What the running one has told (``scrape_targets``) counts, unless a number of ``workers`` is given; else the
    settings. A sealer that is not this host's (``sealer.enabled = false``) is not looked for.

    Raises:
        SetupError: the endpoints are switched off.
    """
    telemetry = settings.telemetry
    if not telemetry.port:
        raise SetupError("telemetry.port is 0, so no process of this host shows anything: set it, or give --endpoint")
    host = _ANY.get(telemetry.host, telemetry.host)
    told = told_ports(settings) if workers is None else ()
    if told:
        return tuple(Address(host, port) for port in told)
    count = 1 + (settings.worker.processes if workers is None else workers) + settings.sealer.enabled
    return tuple(Address(host, telemetry.port + number) for number in range(count))


def look(asked: Sequence[Address], timeout_s: float = TIMEOUT_S) -> Look:
    """Asks all of them at the same time."""
    scrapes: dict[str, Scrape] = {}
    troubles: dict[str, str] = {}

    def ask(address: Address) -> None:
        try:
            scrapes[str(address)] = scrape(address.host, address.port, timeout_s)
        except NoAnswerError as error:
            troubles[str(address)] = str(error)

    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        list(pool.map(ask, asked))
    return Look(at_s=time.monotonic(), scrapes=scrapes, troubles=troubles)
