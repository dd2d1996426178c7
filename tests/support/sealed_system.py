"""Whether what was sealed of a system that was hurt is whole: every leaf sealed once, every checkpoint consistent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tamis.domain.audit.checkpoint import open_checkpoint
from tamis.domain.audit.note import NoteError
from tamis.domain.audit.proof import range_root
from tamis.domain.audit.trust import log_keys
from tamis.kafka.reader import read_topic
from tamis.keys.sealer import read_sealing_keys
from tamis.records.topics import Topic
from tamis.services.sealed_check import verify_sealed
from tamis.stores.sealed_folder import SealedFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.domain.audit.note import VerifierKey
    from tests.support.system import System

CATCH_UP_S = 90.0


def sealed_problems(system: System, leaves: int) -> list[str]:
    """Lets a sealer catch up with a system at rest, and says what is wrong with what was sealed; empty when nothing is.

    Args:
        system: whose workers have ended.
        leaves: in its audit logs.
    """
    sealer, folder = system.start("sealer"), Path(system.settings.sealer_path())
    try:
        system.wait_until(lambda: _sealed(folder) >= leaves, f"{leaves} leaves to be sealed", CATCH_UP_S)
    except AssertionError as error:
        return [f"{_sealed(folder)} of {leaves} leaves are sealed: {error}"]
    sealer.stop()
    keys = read_sealing_keys(Path(system.settings.sealer_keys_path())).vkeys(system.settings.audit.origin)
    reports = verify_sealed(folder, keys)
    found = [f"{report.log}: {report.failure}" for report in reports if not report.ok]
    counted = sum(report.leaves - report.notices for report in reports if f"/{Topic.AUDIT_LOG}/" in report.log)
    if counted != leaves:
        found.append(f"{counted} leaves are sealed, there are {leaves}")
    return found + list(_inconsistent(system, folder, keys))


def _sealed(folder: Path) -> int:
    """Leaves under the checkpoints of the audit logs."""
    notes = [path.read_text().split("\n") for path in folder.glob(f"{Topic.AUDIT_LOG}/p*/e*/checkpoint")]
    return sum(int(lines[1]) for lines in notes)


def _inconsistent(system: System, folder: Path, keys: tuple[VerifierKey, ...]) -> Iterator[str]:
    """Checkpoints that were ever published and are not states of the logs as they are now."""
    logs, known = SealedFolder(folder), dict[tuple[str, int], bytes]()
    for record in read_topic(system.settings.kafka, system.topic(Topic.AUDIT_CHECKPOINTS)):
        origin = (record.key or b"").decode()
        log = logs.log(origin)
        try:
            checkpoint, _ = open_checkpoint(record.value or b"", log_keys(keys, origin))
        except NoteError as error:
            yield f"checkpoint at {record.offset}: {error}"
            continue
        place = origin, checkpoint.size
        if log is None or checkpoint.size > log.size:
            yield f"{origin}: a checkpoint of {checkpoint.size} leaves, more than the log has"
            continue
        if place not in known:
            known[place] = range_root(log.node(), 0, checkpoint.size)
        if known[place] != checkpoint.root:
            yield f"{origin}: an inconsistent checkpoint of {checkpoint.size} leaves"
