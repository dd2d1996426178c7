"""``make bench``: starts a real Kafka on loopback and runs ``tamis bench`` against it; arguments are passed on."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.kafka.cluster import KafkaCluster


def main(arguments: list[str]) -> int:
    with KafkaCluster() as cluster:
        environ = {**os.environ, "TAMIS_KAFKA__BOOTSTRAP": cluster.bootstrap}
        return subprocess.run(
            [sys.executable, "-m", "tamis.cli.main", "bench", *arguments], check=False, env=environ
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
