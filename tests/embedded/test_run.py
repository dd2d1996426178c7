"""``tamis run`` with its real processes: what it does when there is nothing it may start on, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tamis.kafka.embedded import EmbeddedBroker
from tamis.keys.file import create_key_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


def test_a_worker_without_topics_ends_the_run_with_all_that_is_missing(tmp_path: Path) -> None:
    create_key_file(tmp_path / "keys.json", now_ms=0)
    with EmbeddedBroker({"consent.state": 8}) as broker:
        environ = {
            **os.environ,
            "TAMIS_KAFKA__BOOTSTRAP": broker.bootstrap,
            "TAMIS_KAFKA__CHECK_CRCS": "false",
            "TAMIS_PATHS__STATE_DIR": str(tmp_path),
        }
        command = [sys.executable, "-m", "tamis.cli.main", "run", "--workers", "1"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: worker-1 refused its configuration\n"
    lines = done.stdout.splitlines()
    assert any(line.startswith("worker-1 | error: topics are not as they must be") for line in lines)
    for topic in ("events.raw", "audit.log", "crm.hubspot"):
        assert any(line.startswith("worker-1 |") and f"topic {topic} is missing" in line for line in lines)
    assert sum("worker-1 started" in line for line in lines) == 1
    assert lines[-1] == "supervisor | giving up: worker-1 refused its configuration"
