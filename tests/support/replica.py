"""Subject records and replica rows for tests, and a reader in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec

from tamis.domain.consent.model import PurposeVersion, StateHeartbeat, Status, SubjectRecord, heartbeat_key
from tamis.ports import StateRow
from tamis.stores.replica_file import ReplicaIdentity

IDENTITY = ReplicaIdentity(cluster="cluster-a", topic="consent.state", partitions=2)


def record(status: Status = Status.GRANTED, revision: int = 1) -> SubjectRecord:
    version = PurposeVersion(status=status, effective_at=1_000, recorded_at=2_000, source="canonical")
    return SubjectRecord(
        salt="c2FsdC1zYWx0LXNhbHQtc2FsdC1zYWx0LXNhbHQtc2E",
        revision=revision,
        identity="person",
        purposes={"gdpr/analytics": (version,)},
    )


def row(offset: int, subject: str, value: SubjectRecord | None, partition: int = 0) -> StateRow:
    return partition, offset, subject.encode(), None if value is None else msgspec.json.encode(value)


def beat(offset: int, partition: int, clocks: dict[str, int], *, of: int = 1, partitions: int = 2) -> StateRow:
    value = StateHeartbeat(clocks=clocks, of=of, partition=partition, partitions=partitions)
    return partition, offset, heartbeat_key(partition), msgspec.json.encode(value)


class Reader:
    """Another process with a view; each line sent is an expression over ``view``, each line back its value."""

    def __init__(self, folder: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from tamis.stores.consent_view import LmdbConsentView\n"
            "view = LmdbConsentView(Path(sys.argv[1])); view_clock = [0.0]\n"
            "view._monotonic = lambda: view_clock.__setitem__(0, view_clock[0] + 1) or view_clock[0]\n"
            "for line in sys.stdin:\n"
            "    try: print(repr(eval(line)), flush=True)\n"
            "    except Exception as error: print(type(error).__name__, flush=True)\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, expression: str) -> str:
        """The printed value of an expression, or the name of the exception it raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(expression, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()
