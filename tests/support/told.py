"""Runs the product's commands in this process: a process of their own takes a second and more to start."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, NamedTuple

from tamis.cli.main import main

if TYPE_CHECKING:
    from tests.support.system import System


class Told(NamedTuple):
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


def told(system: System, *arguments: str) -> Told:
    """What `tamis ARGUMENTS` says under a system's settings."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["--settings", str(system.settings_file), *arguments])
    return Told(code, out.getvalue(), err.getvalue())
