"""The file from which Prometheus learns of a host's processes."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING

import msgspec
import pytest

from tamis.services.scrape_targets import FILE, write_scrape_targets
from tamis.services.supervisor import host_processes
from tamis.services.watch.endpoints import addresses
from tamis.settings import PathsSettings, Settings, SetupError, TelemetrySettings
from tests.support.requirements import require

if TYPE_CHECKING:
    from pathlib import Path


def settings(folder: Path, port: int, host: str = "127.0.0.1") -> Settings:
    return Settings(telemetry=TelemetrySettings(host=host, port=port), paths=PathsSettings(state_dir=str(folder)))


def test_each_process_has_a_port_and_a_name(tmp_path: Path) -> None:
    found = settings(tmp_path / "state", 9400)
    path = write_scrape_targets(found, host_processes(found, 2, None))
    assert path is not None
    targets = json.loads(path.read_text())
    assert {each["labels"]["process"]: each["targets"] for each in targets} == {
        "replica": ["127.0.0.1:9400"], "worker-1": ["127.0.0.1:9401"], "worker-2": ["127.0.0.1:9402"],
        "sealer": ["127.0.0.1:9403"],
    }  # fmt: skip


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", socket.gethostname()), ("::1", "[::1]")])
def test_addresses_are_those_others_can_use(tmp_path: Path, host: str, shown: str) -> None:
    found = settings(tmp_path, 9400, host)
    path = write_scrape_targets(found, host_processes(found, 1, None))
    assert path is not None
    assert json.loads(path.read_text())[0]["targets"] == [f"{shown}:9400"]


def test_what_was_written_is_where_watch_looks(tmp_path: Path) -> None:
    found = settings(tmp_path, 9400, "0.0.0.0")
    assert [each.port for each in addresses(found)] == [9400, 9401, 9402]
    write_scrape_targets(found, host_processes(found, 3, None))
    assert [str(each) for each in addresses(found)] == [f"127.0.0.1:{port}" for port in range(9400, 9405)]
    assert [each.port for each in addresses(found, 1)] == [9400, 9401, 9402]
    assert [each.port for each in addresses(settings(tmp_path, 9500))] == [9500, 9501, 9502], "written by another run"


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"[]", b"{}", b'[{"targets": ["nothing"]}]', b'[{"targets": [7]}]']
)
def test_a_file_that_tells_nothing_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert [each.port for each in addresses(settings(tmp_path, 9400))] == [9400, 9401, 9402]


def test_without_endpoints_there_is_no_file(tmp_path: Path) -> None:
    found = settings(tmp_path, 0)
    assert write_scrape_targets(found, host_processes(found, 1, None)) is None
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = settings(tmp_path / "file", 9400)
    with pytest.raises(SetupError, match="cannot be written"):
        write_scrape_targets(found, host_processes(found, 1, None))


def test_prometheus_accepts_the_file(tmp_path: Path) -> None:
    require("promtool")
    found = settings(tmp_path, 9400)
    path = write_scrape_targets(found, host_processes(found, 1, None))
    config = {"scrape_configs": [{"job_name": "tamis", "file_sd_configs": [{"files": [str(path)]}]}]}
    (tmp_path / "prometheus.yml").write_bytes(msgspec.yaml.encode(config))
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
