"""``tamis bench``: the worker beside its references on one Kafka, in one run, as CPU-seconds per million events.

Rules: the input is loaded before anything is measured; programs run one after the other, each with the broker to
itself; consent is in the replica before intake starts; topics have a prefix of their own and are left for inspection.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tamis.demo.bench import events as traffic
from tamis.demo.bench import programs
from tamis.demo.bench.latency import Latency, measure_latency
from tamis.demo.bench.measure import BenchError, Measured, measure
from tamis.demo.bench.programs import Program
from tamis.demo.bench.steps import StepCosts, measure_steps
from tamis.kafka.admin import actual_topics, apply
from tamis.kafka.loading import GroupProgress, Loader, Outgoing
from tamis.kafka.mend import mend
from tamis.kafka.plan import wanted_topics
from tamis.keys.file import create_key_file
from tamis.records.topics import Topic, TopicSpec
from tamis.settings import Settings
from tamis.streaming.parts import load_parts
from tamis.streaming.roles import crm_topics

_TIMEOUT_S = 900.0
_CONSENT_S = 120.0
_STOCK_SHARE, _SEND_SHARE = 0.05, 0.25  # of the events: slow programs get fewer
_LAG_MS = 3_600_000
Say = Callable[[str], None]


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one run.

    Attributes:
        guarantee: of the worker.
        event_bytes: mean size of an input event.
        rows: the worker first.
        steps: the intake step alone, and each part's share of it.
        latency: produce to committed clean record at half load, None when not measured.
    """

    guarantee: str
    event_bytes: int
    rows: list[Measured]
    latency: Latency | None
    steps: StepCosts


def run_bench(settings: Settings, count: int, *, with_references: bool, with_latency: bool, say: Say) -> BenchResult:
    """Loads, measures, reports.

    Args:
        settings: connection, guarantee, partition counts.
        count: events of the input.
        with_references: also the bare loop, the plain loop and stock Faust.
        with_latency: also the latency at half load.
        say: told what happens now.

    Raises:
        BenchError: a program ended early or did not finish.
    """
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        ours = _own(settings, Path(folder))
        create_key_file(Path(ours.keys_path()), now_ms=_now())
        _make_topics(ours)
        say("the intake step alone")
        steps = measure_steps(load_parts(ours).bundle)
        say(f"loading {count:,} events and {traffic.SUBJECTS:,} consent statements")
        size = _load(ours, count)
        with _consent(ours, Path(folder), say):
            whole = programs.worker(ours, "tamis, whole job", "whole", count, "intake", "metrics", "anomaly")
            rows = [_measured(ours, whole, Path(folder), say)]
            latency = measure_latency(ours, rows[0].events_per_s / 2, Path(folder), say) if with_latency else None
            chosen = [programs.plain(ours, count)]  # its log has no heads: nothing can follow it in the audit topic
            if with_references:
                chosen += [
                    programs.reference(ours, "bare_copy", count),
                    programs.reference(ours, "plain_send", round(count * _SEND_SHARE)),
                    programs.reference(ours, "stock_faust", round(count * _STOCK_SHARE)),
                ]
            rows += [_measured(ours, program, Path(folder), say) for program in chosen]
    return BenchResult(guarantee=ours.worker.guarantee, event_bytes=size, rows=rows, latency=latency, steps=steps)


def _own(settings: Settings, folder: Path) -> Settings:
    replace = msgspec.structs.replace
    return replace(
        settings,
        topics=replace(settings.topics, prefix=f"bench{int(time.time())}."),
        worker=replace(settings.worker, time_source="broker"),
        paths=replace(settings.paths, state_dir=str(folder)),
    )


def _make_topics(settings: Settings) -> None:
    parts = load_parts(settings)
    extra = [
        TopicSpec(name=name, partitions="raw", config={"cleanup.policy": "delete"}, role="output")
        for name in programs.reference_topics()
    ]
    wanted = wanted_topics(settings, (*crm_topics(parts.bundle), *extra))
    apply(
        settings.kafka,
        mend(wanted, actual_topics(settings.kafka, wanted), allow_growth=False, holding=frozenset()).doing,
    )


def _load(settings: Settings, count: int) -> int:
    topics, size = settings.topics, 0
    with Loader(settings.kafka) as loader:
        loader.load(
            settings.topic(Topic.CONSENT_RAW), traffic.consents(topics.consent_raw_partitions, _now() - _LAG_MS)
        )

        def sized() -> Iterator[Outgoing]:
            nonlocal size
            for record in traffic.events(count, topics.raw_partitions, _now()):
                size += len(record.value)
                yield record

        loader.load(settings.topic(Topic.EVENTS_RAW), sized())
    return size // count


@contextmanager
def _consent(settings: Settings, folder: Path, say: Say) -> Iterator[None]:
    """Replica and consent role, until all statements are folded."""
    environ = programs.environment(settings) | {"TAMIS_WORKER__APP_ID": "whole"}
    group = f"{settings.topics.prefix}whole-consent"
    running = [
        Program(name=name, command=programs.tamis(*arguments), environ=environ, group=group, events=0).start(
            folder / f"{name}.log"
        )
        for name, arguments in (("replica", ("replica",)), ("consent", ("worker", "--role", "consent")))
    ]
    progress = GroupProgress(
        settings.kafka, group, settings.topic(Topic.CONSENT_RAW), settings.topics.consent_raw_partitions
    )
    try:
        say("folding consent")
        deadline = time.monotonic() + _CONSENT_S
        while sum(progress.committed() or [0]) < traffic.SUBJECTS:
            if time.monotonic() > deadline or any(process.poll() is not None for process in running):
                raise BenchError("the consent role did not fold the statements in time")
            time.sleep(0.5)
        yield
    finally:
        progress.close()
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def _measured(settings: Settings, program: Program, folder: Path, say: Say) -> Measured:
    say(f"{program.name}: {program.events:,} events")
    log = folder / f"{program.name.replace(' ', '-').replace(',', '')}.log"
    process = program.start(log)
    topic = settings.topic(Topic.EVENTS_RAW)
    progress = GroupProgress(settings.kafka, program.group, topic, settings.topics.raw_partitions)

    def done() -> int | None:
        committed = progress.committed()
        return None if committed is None else sum(committed)

    try:
        return measure(program.name, process, program.events, done, _TIMEOUT_S)
    except BenchError as error:
        tail = log.read_text(errors="replace").splitlines()[-5:]
        raise BenchError("\n".join([str(error), *tail])) from None
    finally:
        process.terminate()
        try:
            process.wait(30)
        except TimeoutError:
            process.kill()
        progress.close()


def _now() -> int:
    return time.time_ns() // 1_000_000
