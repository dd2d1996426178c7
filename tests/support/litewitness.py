"""An unmodified third-party witness, `litewitness`, for tests: its own process, its key in an ssh-agent, a database.

Rules: a free loopback port; both processes end with the block; which logs it knows is written into its database, as
its own administration tool does.
"""

from __future__ import annotations

import base64
import html
import re
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tamis.domain.audit.note import parse_vkey
from tamis.domain.audit.policy import PolicyWitness
from tests.support.kafka.cluster import free_ports
from tests.support.outside import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tamis.domain.audit.note import VerifierKey

START_S = 30.0
EMPTY_ROOT = base64.b64encode(
    bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
).decode()


@dataclass(frozen=True)
class LiteWitness:
    """A running witness."""

    url: str
    key: VerifierKey
    database: Path

    @property
    def entry(self) -> PolicyWitness:
        """As it stands in a policy."""
        return PolicyWitness(self.key.name.rpartition("/")[2], self.key, self.url)

    def knows(self, key: VerifierKey) -> None:
        """Tell it of a log."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("INSERT INTO log VALUES (?, 0, ?)", (key.name, EMPTY_ROOT))
            database.execute("INSERT INTO key VALUES (?, ?)", (key.name, str(key)))

    def size(self, origin: str) -> int:
        """What it cosigned last."""
        with closing(sqlite3.connect(self.database)) as database:
            (found,) = database.execute("SELECT tree_size FROM log WHERE origin = ?", (origin,)).fetchone()
        return int(found)


@contextmanager
def litewitness(folder: Path, name: str, seed: bytes, port: int | None = None) -> Iterator[LiteWitness]:
    """Run one.

    Args:
        folder: for socket, database and log; the same folder goes on where the last run ended.
        name: of its key.
        seed: of its Ed25519 key, 32 bytes.
        port: to listen on; None: any free one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    socket, database, log = folder / "agent.sock", folder / "witness.db", folder / "witness.log"
    socket.unlink(missing_ok=True)
    port = free_ports(1)[0] if port is None else port
    with subprocess.Popen(
        [programs() / "outside", "agent", socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        try:
            print(seed.hex(), file=agent.stdin, flush=True)
            fingerprint = agent.stdout.readline().strip()
            command = [str(programs() / "litewitness"), "-name", name, "-db", str(database), "-ssh-agent", str(socket),
                       "-key", fingerprint, "-listen", f"127.0.0.1:{port}"]  # fmt: skip
            with log.open("wb") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as witness:
                try:
                    yield LiteWitness(f"http://127.0.0.1:{port}", _key(witness, port, log), database)
                finally:
                    witness.terminate()
                    witness.wait(20)
        finally:
            agent.stdin.close()


def _key(process: subprocess.Popen[bytes], port: int, log: Path) -> VerifierKey:
    """Its vkey, from its page, once it answers."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                found = re.search(r"^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=&#;]+$", page.read().decode(), re.MULTILINE)
        except urllib.error.URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the witness did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            assert found is not None
            return parse_vkey(html.unescape(found[0]))
