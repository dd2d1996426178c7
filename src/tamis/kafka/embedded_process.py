"""The embedded broker in a process of its own, for those who want its memory and its death apart from theirs.

Rules: the child prints its address on one line and lives until its standard input closes, so it ends with its parent
however that dies. Run as ``python -m tamis.kafka.embedded_process NAME:PARTITIONS ...``.
"""

import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tamis.kafka.embedded import EmbeddedBroker
from tamis.settings import KafkaSettings, SetupError

_END_S = 10.0


class EmbeddedBrokerProcess:
    """An embedded broker as a child process.

    Args:
        topics: name -> partition count; more cannot be made later.

    Raises:
        SetupError: the child did not start; its own words are on standard error.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        arguments = [f"{name}:{partitions}" for name, partitions in topics.items()]
        self._child = subprocess.Popen(  # noqa: S603  # our own module under our own interpreter
            [sys.executable, "-m", "tamis.kafka.embedded_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdout is not None
        self.bootstrap = self._child.stdout.readline().strip()
        if not self.bootstrap:
            self.close()
            raise SetupError("the embedded broker did not start")

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def kafka_settings(self) -> KafkaSettings:
        """The settings of a client of this broker."""
        return KafkaSettings(bootstrap=self.bootstrap, check_crcs=False)

    def close(self) -> None:
        """End the child; closing twice is fine."""
        try:
            self._child.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
        except ValueError:  # closed before
            self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main(arguments: list[str]) -> int:
    """Serve until standard input ends."""
    topics = {name: int(count) for name, _, count in (argument.partition(":") for argument in arguments)}
    with EmbeddedBroker(topics) as broker:
        sys.stdout.write(f"{broker.bootstrap}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
