"""A real Prometheus for tests: on a free loopback port, with the rules of ``deploy/``, ended with its block.

Rules: the rules are evaluated each second instead of every 15, which changes nothing else; nothing is kept.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.kafka.cluster import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RULES = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules.yml"
START_S = 60.0


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Samples now: ``{"metric": labels, "value": [time, text]}``."""
        found: list[dict[str, Any]] = self._ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return found

    def alerts(self) -> dict[str, str]:
        """Name -> state of each alert that is pending or firing."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in self._ask("alerts")["alerts"]}

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, int]) -> Iterator[Prometheus]:
    """Run one that scrapes each second.

    Args:
        folder: for its files.
        targets: value of the label ``process`` -> port on this machine.
    """
    (port,) = free_ports(1)
    (folder / "rules.yml").write_text(RULES.read_text().replace("interval: 15s", "interval: 1s"))
    scraped = [{"targets": [f"127.0.0.1:{at}"], "labels": {"process": name}} for name, at in targets.items()]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "tamis", "static_configs": scraped}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as process:
        try:
            _wait_ready(process, port, log)
            yield Prometheus(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5).close()
        except urllib.error.URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"prometheus did not start:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return
