"""Verifies audit logs from where they are kept: an exported folder, or the records of the topic as they are read.

Rules: one report a log, in the order of partitions; every log is checked also when one fails; a folder's file that is
not the one its manifest speaks of fails the check "manifest" unless the log itself already failed. Records that stand
beside sealed logs must be those under the checkpoint: another history of the same log may hang together as well as the
true one, but it has another root.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from tamis.domain.audit.leaf import HEAD_HEADER
from tamis.domain.audit.notices import begins_epoch
from tamis.domain.audit.report import Check, Failure, LogReport
from tamis.domain.audit.verify import LogVerifier
from tamis.kafka.reader import TopicRecord
from tamis.records.topics import Topic
from tamis.services.sealer_config import LOGS
from tamis.stores.audit_export import MANIFEST, AuditExportWriter, ExportedLog, Manifest, read_export

PROGRESS_EVERY = 100_000
Progress = Callable[[int], None]


class CheckPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a log may be like.

    Attributes:
        at_least_once: source offsets may repeat; for a writer without transactions.
        partial: the beginning may be gone; for a log past its retention.
        source: topic the leaves are about, without prefix.
    """

    at_least_once: bool = False
    partial: bool = False
    source: str = Topic.EVENTS_RAW.value

    def verifier(self, partition: int, sizes: Collection[int] = ()) -> LogVerifier:
        """A new verifier of one log that keeps the roots at these sizes."""
        return LogVerifier(
            partition, topic=self.source, at_least_once=self.at_least_once, partial=self.partial, sizes=sizes
        )

    def of(self, topic: str) -> "CheckPolicy":
        """The same for the logs of a topic (with or without prefix)."""
        named = [source for log, source in LOGS.items() if topic.endswith(log)]
        return msgspec.structs.replace(self, source=named[-1] if named else self.source)


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """What exported records are compared with.

    Attributes:
        checkpoints: origin -> size and root (base64) that the sealed log beside the records has.
        required: every log with leaves must be in ``checkpoints``.
    """

    checkpoints: Mapping[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    required: bool = False


STRICT, NO_ENDS = CheckPolicy(), Ends()


def verify_export(
    folder: Path, policy: CheckPolicy = STRICT, progress: Progress | None = None, ends: Ends = NO_ENDS
) -> list[LogReport]:
    """Check every log of an exported folder; needs nothing but the folder.

    Args:
        folder: of the export.
        policy: what the logs may be like.
        progress: called with the records read so far, now and then.
        ends: of the sealed logs beside the records; whether these are signed is not checked here.

    Raises:
        SetupError: there is no finished export.
    """
    manifest, logs = read_export(folder)
    count, policy = _Counter(progress), policy.of(manifest.topic)
    return [report for log in logs for report in _verify_file(log, policy, count, ends)]


def log_folders(folder: Path) -> dict[str, Path]:
    """Topic of logs, without prefix -> where an export has its records; the first is that of events as they came in."""
    first, *rest = LOGS
    return {first: folder} | {log: folder / log for log in rest}


def verify_exports(
    folder: Path, policy: CheckPolicy = STRICT, progress: Progress | None = None, ends: Ends = NO_ENDS
) -> list[LogReport]:
    """Check the exports of all topics of logs in a folder, as ``verify_export`` does; only the first must be there."""
    first, *rest = log_folders(folder).values()
    places = [first, *(place for place in rest if (place / MANIFEST).exists())]
    return [report for place in places for report in verify_export(place, policy, progress, ends)]


def verify_records(
    records: Iterable[TopicRecord], policy: CheckPolicy = STRICT, progress: Progress | None = None
) -> list[LogReport]:
    """Check the logs of a topic from its records, partitions mixed as they come."""
    epochs: dict[int, _Epochs] = {}
    count = _Counter(progress)
    for record in records:
        log = epochs.get(record.partition)
        if log is None:
            log = epochs[record.partition] = _Epochs(policy, record.partition)
        log.feed(is_head(record), record.value or b"")
        count.one()
    return [report for _, log in sorted(epochs.items()) for report in log.reports()]


def export_records(
    records: Iterable[TopicRecord], folder: Path, topic: str, progress: Progress | None = None
) -> Manifest:
    """Write the records of the audit topic into a new export.

    Raises:
        SetupError: the folder holds an export.
    """
    count = _Counter(progress)
    writer = AuditExportWriter(folder, topic)
    with writer:
        for record in records:
            writer.write(record.partition, is_head(record), record.value or b"")
            count.one()
    return read_export(folder)[0]


def is_head(record: TopicRecord) -> bool:
    """The record carries the header of a head."""
    return HEAD_HEADER in record.headers


class _Epochs:
    """The logs of one partition, one an epoch, each with a verifier of its own."""

    def __init__(self, policy: CheckPolicy, partition: int, ends: Ends = NO_ENDS) -> None:
        self._policy, self._partition, self._ends = policy, partition, ends
        self._sizes = {size for size, _ in ends.checkpoints.values()}
        self._verifiers: list[LogVerifier] = []

    def feed(self, is_head: bool, value: bytes) -> None:
        """Take the next record of the partition."""
        if not self._verifiers or (not is_head and begins_epoch(value)):
            self._verifiers.append(self._policy.verifier(self._partition, self._sizes))
        self._verifiers[-1].feed(is_head, value)

    def reports(self) -> list[LogReport]:
        """One an epoch; one of an empty log where there is no record."""
        verifiers = self._verifiers or [self._policy.verifier(self._partition)]
        return [_bound(verifier.report(), verifier.roots, self._ends) for verifier in verifiers]


def _bound(report: LogReport, roots: Mapping[int, str], ends: Ends) -> LogReport:
    """The report, failed where the records are not those of the sealed log."""
    end = ends.checkpoints.get(report.log)
    if report.failure is not None or (end is None and not (ends.required and report.leaves)):
        return report
    if end is not None and roots.get(end[0]) == end[1]:
        return report
    if end is None:
        check, until, detail = Check.SIGNATURE, report.leaves, "no checkpoint of this log is in the folder"
    else:
        check, until, detail = Check.CHECKPOINT, end[0], f"not the records under the checkpoint of {end[0]:,} leaves"
    failure = Failure(check=check, record=0, leaf=0, until=until, detail=detail)
    return msgspec.structs.replace(report, failure=failure)


def _verify_file(log: ExportedLog, policy: CheckPolicy, count: "_Counter", ends: Ends) -> list[LogReport]:
    epochs = _Epochs(policy, log.partition, ends)
    feed, one = epochs.feed, count.one
    for head, value in log:
        feed(head, value)
        one()
    reports = epochs.reports()
    if log.agrees or not all(report.ok for report in reports):
        return reports
    report = reports[-1]
    records = sum(each.leaves + each.heads for each in reports)
    detail = f"{records} records that are not the {log.entry.records} of the manifest"
    failure = Failure(check=Check.MANIFEST, record=records, leaf=0, until=report.leaves, detail=detail)
    return [*reports[:-1], msgspec.structs.replace(report, failure=failure)]


class _Counter:
    """Counts records and tells of every so many."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._n = progress, 0

    def one(self) -> None:
        self._n += 1
        if self._n % PROGRESS_EVERY == 0 and self._progress:
            self._progress(self._n)
