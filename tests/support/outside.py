"""Programs of other people that check what we export: built from the Go module in `tests/outside/go`.

Rules: sources come from the Go module proxy at the versions in `go.mod`, checked against `go.sum`; programs are built
once into `$TAMIS_TOOLS_DIR/outside/<digest>` or, without that variable, `.tools/outside/<digest>` of the checkout;
processes that ask at the same time wait for one build (file lock). Nothing of tamis is compiled into them.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.kafka.jars import tools_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODULE = Path(__file__).resolve().parents[1] / "outside/go"
PROGRAMS = (".", "filippo.io/torchwood/cmd/litewitness")
NEEDED = (1, 25)
BUILD_S = 540


class GoUnavailableError(Exception):
    """This machine cannot build the programs; the message says what is missing."""


def find_go() -> str:
    """Path of a Go toolchain that is new enough.

    Raises:
        GoUnavailableError: there is none.
    """
    go = shutil.which("go")
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    found = re.search(r"go(\d+)\.(\d+)", said)
    if go is None or found is None or (int(found[1]), int(found[2])) < NEEDED:
        raise GoUnavailableError(f"no Go {NEEDED[0]}.{NEEDED[1]} or newer is on the PATH")
    return go


def programs() -> Path:
    """Folder of the programs `outside` and `litewitness`, built when missing.

    Raises:
        GoUnavailableError: they cannot be built here.
    """
    go = find_go()
    digest = hashlib.sha256()
    for source in sorted(MODULE.iterdir()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    folder = tools_dir() / "outside" / digest.hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            _build(go, folder)
    return folder


def _build(go: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    command = [go, "build", "-mod=readonly", "-trimpath", "-o", f"{folder}/", *PROGRAMS]
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    built = subprocess.run(
        command, cwd=MODULE, env=environment, capture_output=True, text=True, check=False, timeout=BUILD_S
    )
    if built.returncode:
        raise GoUnavailableError(f"the programs cannot be built: {built.stderr.strip()[-500:]}")
    (folder / "built").touch()


class Outside:
    """The program `outside`, asked over a pipe: one process for many checks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [programs() / "outside", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def ask(self, check: str, **facts: Any) -> dict[str, Any]:
        """`{"ok": ..., "error": ..., "said": ...}` of one check; bytes are sent as base64."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {name: _plain(value) for name, value in facts.items()}
        self._process.stdin.write(json.dumps({"check": check, **request}).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def accepts(self, check: str, **facts: Any) -> bool:
        """The check passed."""
        return bool(self.ask(check, **facts)["ok"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int)) else str(value)


def flips(value: bytes, places: Iterable[int] | None = None) -> Sequence[bytes]:
    """Copies of `value`, each with one byte changed."""
    return [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in places or range(len(value))]
