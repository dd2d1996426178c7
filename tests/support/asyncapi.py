"""The official AsyncAPI parser: installed from `tests/outside/asyncapi` as its lock file says, asked over a pipe.

Rules: installed once, without scripts of packages, into `$TAMIS_TOOLS_DIR/asyncapi/<digest>` or, without that
variable, `.tools/asyncapi/<digest>` of the checkout; processes that ask at the same time wait for one installation
(file lock).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.kafka.jars import tools_dir

MODULE = Path(__file__).resolve().parents[1] / "outside/asyncapi"
FILES = ("package.json", "package-lock.json", "check.mjs")
INSTALL_S = 240
ASK_S = 60


class NodeUnavailableError(Exception):
    """This machine cannot run the parser; the message says what is missing."""


def parser() -> Path:
    """Folder of the parser, installed when missing.

    Raises:
        NodeUnavailableError: it cannot be installed here.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NodeUnavailableError("node and npm are not both on the PATH")
    digest = hashlib.sha256(b"\0".join((MODULE / name).read_bytes() for name in FILES)).hexdigest()
    folder = tools_dir() / "asyncapi" / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(npm, folder)
    return folder


def _install(npm: str, folder: Path) -> None:
    for name in FILES:
        shutil.copy(MODULE / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        raise NodeUnavailableError("the parser was not installed in time") from None
    if done.returncode:
        raise NodeUnavailableError(f"the parser cannot be installed: {done.stderr.strip()[-500:]}")
    (folder / "installed").touch()


def asked(document: str) -> dict[str, Any]:
    """`{"errors": [...], "channels": [...]}` of a document."""
    said = subprocess.run(
        ["node", "check.mjs"], cwd=parser(), input=document, capture_output=True, text=True, check=True, timeout=ASK_S
    )
    found: dict[str, Any] = json.loads(said.stdout)
    return found
