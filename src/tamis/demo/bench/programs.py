"""The programs the benchmark compares, each as a process it can watch: the worker itself and the references.

Rules: every program reads the same topic with a group of its own and writes to topics of its own; the worker runs as it
runs in production, configured by its environment.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tamis.settings import Settings

REFERENCES = ("bare_copy", "plain_send", "stock_faust")
_REFERENCE_OUTPUTS = ("ref.clean", "ref.crm", "ref.audit", "ref.quarantine")


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One program under measurement.

    Attributes:
        name: in the table.
        command: what is run.
        environ: added to the environment.
        group: its consumer group.
        events: how many events it gets, a prefix of the input: slow ones get fewer.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    group: str
    events: int

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Starts it, its output going to ``log``."""
        with log.open("ab") as file:
            return subprocess.Popen(  # noqa: S603 - our own programs
                self.command, env={**os.environ, **self.environ}, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )


def environment(settings: Settings) -> dict[str, str]:
    """The variables that make a child process see what the benchmark chose."""
    return {
        "TAMIS_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "TAMIS_TOPICS__PREFIX": settings.topics.prefix,
        "TAMIS_TOPICS__RAW_PARTITIONS": str(settings.topics.raw_partitions),
        "TAMIS_TOPICS__CONSENT_RAW_PARTITIONS": str(settings.topics.consent_raw_partitions),
        "TAMIS_TOPICS__METRICS_PARTITIONS": str(settings.topics.metrics_partitions),
        "TAMIS_WORKER__GUARANTEE": settings.worker.guarantee,
        "TAMIS_WORKER__TIME_SOURCE": settings.worker.time_source,
        "TAMIS_PATHS__STATE_DIR": settings.paths.state_dir,
        "TAMIS_RULES__FOLDER": settings.rules.folder,
        "TAMIS_TELEMETRY__LOG_LEVEL": "error",
    }


def tamis(*arguments: str) -> tuple[str, ...]:
    """The command line of one of our own commands."""
    return (sys.executable, "-m", "tamis.cli.main", *arguments)


def worker(settings: Settings, name: str, app_id: str, events: int, *roles: str) -> Program:
    """A worker with the given roles under its own group."""
    chosen = [argument for role in roles for argument in ("--role", role)]
    environ = environment(settings) | {"TAMIS_WORKER__APP_ID": app_id}
    group = f"{settings.topics.prefix}{app_id}-intake"
    return Program(name=name, command=tamis("worker", *chosen), environ=environ, group=group, events=events)


def plain(settings: Settings, events: int) -> Program:
    """The plain job: intake without audit tree, windows and detector."""
    command = (sys.executable, "-m", "tamis.demo.bench.plain_worker")
    group = f"{settings.topics.prefix}plain-intake"
    environ = environment(settings) | {"TAMIS_WORKER__APP_ID": "plain"}
    return Program(name="tamis, plain job", command=command, environ=environ, group=group, events=events)


def reference(settings: Settings, name: str, events: int) -> Program:
    """One of the reference programs."""
    group = f"{settings.topics.prefix}{name}"
    outputs = [settings.topic(output) for output in _REFERENCE_OUTPUTS]
    command = (
        sys.executable, "-m", f"tamis.streaming.references.{name}", settings.kafka.bootstrap, group,
        settings.topic("events.raw"), *outputs,
    )  # fmt: skip
    return Program(name=name.replace("_", " "), command=command, environ={}, group=group, events=events)


def reference_topics() -> tuple[str, ...]:
    """Output topics of the references, without prefix."""
    return _REFERENCE_OUTPUTS
