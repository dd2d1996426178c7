"""What a test needs from the machine, and what happens without it.

Rules: a missing tool skips the test with one loud line that names it; a tool listed in the environment variable
`TAMIS_REQUIRE` (comma-separated) fails the test instead, so a build server cannot pass by lacking something.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.asyncapi import NodeUnavailableError, parser
from tests.support.kafka.jars import KafkaUnavailableError, find_java, kafka_lib
from tests.support.outside import GoUnavailableError, programs

if TYPE_CHECKING:
    from collections.abc import Callable

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


def require(tool: str) -> None:
    """Go on only if `tool` is there.

    Args:
        tool: `kafka`, `browser`, `go` (new enough, with the programs of `tests/outside/go` built by it), `node`
            (with the parser of `tests/outside/asyncapi`), or the name of a program on the PATH (`prometheus`,
            `openssl`, ...).
    """
    lack = _CHECKS.get(tool, lambda: _program(tool))()
    if lack is None:
        return
    if tool in required():
        pytest.fail(f"TAMIS_REQUIRE lists {tool}, but {lack}", pytrace=False)
    pytest.skip(f"MISSING {tool.upper()}: {lack}")


def required() -> frozenset[str]:
    """The tools that must not be missing."""
    return frozenset(name.strip() for name in os.environ.get("TAMIS_REQUIRE", "").split(",") if name.strip())


def _kafka() -> str | None:
    try:
        find_java()
        kafka_lib()
    except KafkaUnavailableError as error:
        return str(error)
    return None


def _go() -> str | None:
    try:
        programs()
    except GoUnavailableError as error:
        return str(error)
    return None


def _node() -> str | None:
    try:
        parser()
    except NodeUnavailableError as error:
        return str(error)
    return None


def _program(*names: str) -> str | None:
    return None if any(map(shutil.which, names)) else f"none of {', '.join(names)} is on the PATH"


_CHECKS: dict[str, Callable[[], str | None]] = {
    "kafka": _kafka,
    "go": _go,
    "node": _node,
    "prometheus": lambda: _program("prometheus"),
    "browser": lambda: _program(*BROWSERS),
}
