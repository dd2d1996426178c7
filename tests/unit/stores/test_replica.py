"""The replica's writer: atomic, resumable, rebuilt when unsound, loud when there is no room."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tamis.domain.consent.model import Status
from tamis.stores.consent_view import LmdbConsentView
from tamis.stores.replica import UNKNOWN, ReplicaWriter
from tamis.stores.replica_file import ReplicaError, ReplicaFolder
from tests.support.replica import IDENTITY, beat, record, row


class Rig:
    """Writers on one folder, one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = ReplicaFolder(folder)
        self.writer = ReplicaWriter(folder, IDENTITY)
        self.view = LmdbConsentView(folder, writer=self.writer)

    def restart(self, **changed: object) -> ReplicaWriter:
        self.view.close()
        self.writer.close()
        identity = msgspec.structs.replace(IDENTITY, **changed)
        self.writer = ReplicaWriter(self.folder, identity)
        self.view = LmdbConsentView(self.folder, writer=self.writer)
        return self.writer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "replica")
    yield made
    made.view.close()
    made.writer.close()


def fill(writer: ReplicaWriter, count: int = 500) -> None:
    rows = [row(n, f"subject-{n:04}", record(revision=n)) for n in range(count)]
    writer.apply(rows, {0: count}, 1_000, caught_up=True)


def test_a_new_replica_knows_nothing(rig: Rig) -> None:
    assert rig.writer.opened == "new"
    assert rig.writer.positions() == {}
    assert rig.writer.oldest_clock() == UNKNOWN


def test_records_and_offsets_are_kept_together(rig: Rig) -> None:
    assert rig.writer.apply([row(7, "a", record())], {0: 9, 1: 4}, 1_000, caught_up=False) == 1
    assert rig.writer.positions() == {0: 9, 1: 4}
    assert rig.view.get("a") == record()
    assert rig.view.get("b") is None


def test_the_last_row_of_a_key_holds_and_tombstones_delete(rig: Rig) -> None:
    rows = [row(0, "a", record()), row(1, "a", record(Status.DENIED, 2)), row(2, "b", record()), row(3, "b", None)]
    rig.writer.apply(rows, {0: 4}, 1_000, caught_up=False)
    assert rig.view.get("a") == record(Status.DENIED, 2)
    assert rig.view.get("b") is None
    rig.writer.apply([row(4, "a", None)], {0: 5}, 1_000, caught_up=False)
    rig.view.version()
    assert rig.view.get("a") is None


def test_a_restart_resumes(rig: Rig) -> None:
    fill(rig.writer)
    rig.writer.apply([beat(500, 0, {"0": 5}), beat(1, 1, {"0": 7})], {0: 501, 1: 2}, 2_000, caught_up=True)
    version = rig.view.version()
    writer = rig.restart()
    assert (writer.opened, writer.positions()) == ("resumed", {0: 501, 1: 2})
    assert (writer.oldest_clock(), writer.applied_at, writer.caught_up) == (5, 2_000, True)
    assert rig.view.get("subject-0499") == record(revision=499)
    assert rig.view.version() & 0xFFFF == version & 0xFFFF


def test_version_moves_with_records_and_not_with_heartbeats(rig: Rig) -> None:
    first = rig.view.version()
    rig.writer.apply([beat(0, 0, {"0": 5})], {0: 1}, 1_000, caught_up=False)
    assert rig.view.version() == first > 0
    rig.writer.apply([row(1, "a", record())], {0: 2}, 1_000, caught_up=False)
    assert rig.view.version() == first + 1
    rig.writer.apply([row(2, "a", None)], {0: 3}, 1_000, caught_up=False)
    assert rig.view.version() == first + 2


@pytest.mark.parametrize("changed", [{"cluster": "other"}, {"topic": "other"}, {"partitions": 3}, {"schema": 2}])
def test_a_copy_of_something_else_is_built_anew(rig: Rig, changed: dict[str, object]) -> None:
    fill(rig.writer)
    writer = rig.restart(**changed)
    assert "another topic" in writer.opened
    assert writer.positions() == {}
    assert rig.view.get("subject-0001") is None
    assert rig.place.bad.exists()


def damage(rig: Rig, how: str) -> None:
    raw = bytearray(rig.place.file.read_bytes())
    if how == "cut":
        raw = raw[: len(raw) // 2]
    elif how == "garbage":
        raw = bytearray(b"\xa5" * len(raw))
    elif how == "empty pages":
        raw[2 * 4096 :] = bytes(len(raw) - 2 * 4096)
    else:
        place = raw.find(b'"revision"')
        while place >= 0:
            raw[place] ^= 0x40
            place = raw.find(b'"revision"', place + 1)
    rig.place.file.write_bytes(raw)


@pytest.mark.parametrize("how", ["cut", "garbage", "empty pages", "bits"])
def test_a_damaged_file_is_moved_aside_and_built_anew(rig: Rig, how: str) -> None:
    fill(rig.writer)
    rig.view.close()
    rig.writer.close()
    damage(rig, how)
    before = rig.place.file.read_bytes()
    rig.writer = ReplicaWriter(rig.folder, IDENTITY)
    assert rig.writer.opened not in ("new", "resumed")
    assert rig.writer.positions() == {}
    assert (rig.place.bad / "data.mdb").read_bytes()[4096 * 2 :] == before[4096 * 2 :]
    rig.view = LmdbConsentView(rig.folder, writer=rig.writer)
    fill(rig.writer)
    assert rig.view.get("subject-0001") == record()


def test_a_check_that_killed_the_process_counts_as_failed(rig: Rig) -> None:
    fill(rig.writer)
    rig.place.checking.touch()
    assert "did not end" in rig.restart().opened
    assert not rig.place.checking.exists()


def test_a_readers_report_leads_to_a_rebuild(rig: Rig) -> None:
    fill(rig.writer)
    rig.place.rebuild.touch()
    assert rig.writer.rebuild_asked()
    version = rig.view.version()
    rig.writer.rebuild("a reader found damage")
    assert not rig.writer.rebuild_asked()
    assert (rig.writer.positions(), rig.writer.caught_up) == ({}, False)
    assert rig.view.version() != version
    assert rig.view.get("subject-0001") is None


def test_only_one_writer_per_folder(rig: Rig) -> None:
    with pytest.raises(ReplicaError, match="another replica process"):
        ReplicaWriter(rig.folder, IDENTITY)


def test_a_folder_that_cannot_be_made_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReplicaError, match="cannot be used: Not a directory"):
        ReplicaWriter(tmp_path / "file" / "replica", IDENTITY)


def test_the_folder_is_private(rig: Rig) -> None:
    assert rig.folder.stat().st_mode & 0o077 == 0
    assert rig.place.file.stat().st_mode & 0o077 == 0


def test_a_full_map_grows_while_a_reader_looks_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tamis.stores.replica_file.FIRST_MAP_BYTES", 256 << 10)
    rig = Rig(tmp_path / "replica")
    try:
        fill(rig.writer, 100)
        assert rig.view.get("subject-0001") == record()
        rows = [row(n, f"subject-{n:06}", record(revision=n)) for n in range(5_000)]
        rig.writer.apply(rows, {0: 5_000}, 1_000, caught_up=True)
        assert rig.writer.handle.env.info()["map_size"] > 1 << 20
        rig.view.version()
        assert rig.view.get("subject-004999") == record(revision=4_999)
    finally:
        rig.view.close()
        rig.writer.close()


def test_at_its_limit_it_stops_and_keeps_the_last_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tamis.stores.replica_file.FIRST_MAP_BYTES", 256 << 10)
    folder = tmp_path / "replica"
    writer = ReplicaWriter(folder, IDENTITY, max_bytes=512 << 10)
    fill(writer, 100)
    rows = [row(n, f"later-{n:06}", record()) for n in range(5_000)]
    with pytest.raises(ReplicaError, match=r"limit of 524288 bytes: raise consent\.replica_max_bytes"):
        writer.apply(rows, {0: 5_000}, 1_000, caught_up=True)
    writer.close()
    again = ReplicaWriter(folder, IDENTITY)
    assert (again.opened, again.positions()) == ("resumed", {0: 100})
    again.close()


DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from tamis.stores.replica import ReplicaWriter
from tamis.stores.replica_file import ReplicaError
from tests.support.replica import IDENTITY, record, row
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = ReplicaWriter(Path(sys.argv[1]), IDENTITY)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
done = 0
try:
    while done < 100_000:
        rows = [row(done + n, f"subject-{done + n:06}", record(revision=done + n)) for n in range(500)]
        writer.apply(rows, {0: done + 500}, 1_000, caught_up=False)
        done += 500
except ReplicaError as error:
    print(done, error)
"""


def test_a_full_disk_is_said_clearly_and_leaves_the_last_transaction(tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    ran = subprocess.run([sys.executable, "-c", DISK_FULL, str(folder)], capture_output=True, text=True, check=True)
    done, _, message = ran.stdout.partition(" ")
    assert "no room left on the disk for the consent replica" in message
    assert int(done) > 0
    writer = ReplicaWriter(folder, IDENTITY)
    view = LmdbConsentView(folder, writer=writer)
    assert (writer.opened, writer.positions()) == ("resumed", {0: int(done)})
    assert view.get(f"subject-{int(done) - 1:06}") == record(revision=int(done) - 1)
    assert view.get(f"subject-{int(done):06}") is None
    view.close()
    writer.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tamis.stores.replica import ReplicaWriter
from tests.support.replica import IDENTITY, record, row
writer = ReplicaWriter(Path(sys.argv[1]), IDENTITY)
writer.apply([row(n, f"subject-{n:04}", record(revision=n)) for n in range(500)], {0: 500}, 1_000, caught_up=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_a_sound_file(tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    ran = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert ran.returncode == -signal.SIGKILL
    writer = ReplicaWriter(folder, IDENTITY)
    assert (writer.opened, writer.positions()) == ("resumed", {0: 500})
    writer.close()
    shutil.rmtree(folder)


def test_the_oldest_clock_counts_every_partition_and_every_source(rig: Rig) -> None:
    apply = rig.writer.apply
    apply([beat(0, 0, {"0": 50, "1": 40}, of=2)], {0: 1}, 1, caught_up=True)
    assert rig.writer.oldest_clock() == UNKNOWN, "partition 1 is missing"
    apply([beat(0, 1, {"0": 90, "1": 95}, of=2)], {1: 1}, 1, caught_up=True)
    assert rig.writer.oldest_clock() == 40
    apply([beat(1, 0, {"0": 90}, of=2)], {0: 2}, 1, caught_up=True)
    assert rig.writer.oldest_clock() == UNKNOWN, "source 1 is missing"
    apply([beat(2, 0, {"0": 90, "1": 90}, of=2, partitions=3)], {0: 3}, 1, caught_up=True)
    assert rig.writer.oldest_clock() == UNKNOWN, "it speaks of another number of partitions"
