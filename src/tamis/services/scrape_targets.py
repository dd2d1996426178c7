"""Where Prometheus finds the processes of this host: a file in the form of its file-based service discovery.

Rules: every process has a port of its own and its name as the label ``process``, which stays when it is restarted; the
file is replaced as a whole, so a reader never sees half of it; without endpoints there is no file.
Form: Prometheus, ``file_sd_config``: ``[{"targets": ["host:port"], "labels": {...}}]``.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tamis.services.child import ProcessSpec
from tamis.settings import Settings, SetupError
from tamis.stores.durable_file import place_file

FILE = "prometheus-targets.json"
PORT = "TAMIS_TELEMETRY__PORT"
_ANY = frozenset(("0.0.0.0", "::", ""))  # noqa: S104 - compared with, not bound to


def scrape_targets(settings: Settings, processes: Sequence[ProcessSpec]) -> bytes:
    """The file's content; an address that stands for all of them is told as the name of this host."""
    host = socket.gethostname() if settings.telemetry.host in _ANY else settings.telemetry.host
    host = f"[{host}]" if ":" in host else host
    shown = [(spec.label, spec.environ[PORT]) for spec in processes if PORT in spec.environ]
    targets = [{"targets": [f"{host}:{port}"], "labels": {"process": label}} for label, port in shown]
    return msgspec.json.format(msgspec.json.encode(targets), indent=1) + b"\n"


def write_scrape_targets(settings: Settings, processes: Sequence[ProcessSpec]) -> Path | None:
    """Writes ``prometheus-targets.json`` into the state directory; None when the endpoints are switched off.

    Raises:
        SetupError: it cannot be written.
    """
    if not settings.telemetry.port:
        return None
    path = Path(settings.paths.state_dir) / FILE
    try:
        place_file(path, scrape_targets(settings, processes))
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None
    return path


class _Group(msgspec.Struct, frozen=True):
    targets: tuple[str, ...]


def told_ports(settings: Settings) -> tuple[int, ...]:
    """The ports of the processes that ``tamis run`` started last, as the file has them; empty when it tells nothing.

    A file that was written under another ``telemetry.port`` tells nothing.
    """
    try:
        groups = msgspec.json.decode((Path(settings.paths.state_dir) / FILE).read_bytes(), type=tuple[_Group, ...])
        ports = tuple(int(target.rpartition(":")[2]) for group in groups for target in group.targets)
    except (OSError, msgspec.DecodeError, ValueError):
        return ()
    return ports if ports[:1] == (settings.telemetry.port,) else ()
