"""The read side: snapshots, age, gates, and a writer in another process that restarts, grows and replaces the file."""

from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest

from tamis.stores.consent_view import LmdbConsentView
from tamis.stores.replica import ReplicaDamagedError, ReplicaWriter
from tamis.stores.replica_file import RECORDS, ReplicaError
from tests.support.replica import IDENTITY, Reader, beat, record, row

NOW = 100_000


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[ReplicaWriter]:
    made = ReplicaWriter(tmp_path / "replica", IDENTITY)
    yield made
    made.close()


@pytest.fixture
def view(writer: ReplicaWriter) -> Iterator[LmdbConsentView]:
    made = LmdbConsentView(writer.place.folder, writer=writer)
    yield made
    made.close()


def both_beats(clock: int, offset: int = 0) -> list[tuple[int, int, bytes, bytes | None]]:
    return [beat(offset, 0, {"0": clock}), beat(offset, 1, {"0": clock})]


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    view = LmdbConsentView(tmp_path / "nowhere")
    assert view.get("a") is None
    assert (view.version(), view.age(NOW), view.caught_up(), view.gate(NOW, 60)) == (0, inf, False, "no_replica")


def test_a_snapshot_holds_until_the_next_question_about_the_whole(writer: ReplicaWriter, view: LmdbConsentView) -> None:
    writer.apply([row(0, "a", record())], {0: 1}, NOW, caught_up=True)
    assert view.get("a") == record()
    writer.apply([row(1, "a", record(revision=2))], {0: 2}, NOW, caught_up=True)
    assert view.get("a") == record(), "the batch goes on with what it began with"
    view.version()
    assert view.get("a") == record(revision=2)


def test_an_unchanged_record_is_decoded_once(writer: ReplicaWriter, view: LmdbConsentView) -> None:
    writer.apply([row(0, "a", record())], {0: 1}, NOW, caught_up=True)
    first = view.get("a")
    writer.apply([row(1, "b", record())], {0: 2}, NOW, caught_up=True)
    view.version()
    assert view.get("a") is first


def test_the_gate_opens_step_by_step(writer: ReplicaWriter, view: LmdbConsentView) -> None:
    writer.apply([row(0, "a", record())], {0: 1}, NOW, caught_up=False)
    assert view.gate(NOW, 60) == "replica_not_caught_up"
    writer.apply([beat(1, 0, {"0": NOW})], {0: 2}, NOW, caught_up=True)
    assert view.gate(NOW, 60) == "consent_age_unknown"
    assert view.age(NOW) == inf
    writer.apply(both_beats(NOW - 60_001, 2), {0: 3, 1: 1}, NOW, caught_up=True)
    assert view.gate(NOW, 60) == "consent_too_old"
    writer.apply(both_beats(NOW - 60_000, 3), {0: 4, 1: 2}, NOW, caught_up=True)
    assert view.gate(NOW, 60) is None
    assert view.age(NOW) == 60.0


def test_a_clock_far_ahead_is_not_believed_when_a_bound_is_set(writer: ReplicaWriter) -> None:
    writer.apply(both_beats(NOW + 400_000), {0: 1, 1: 1}, NOW, caught_up=True)
    for bound, reason in ((inf, None), (300.0, "consent_clock_ahead"), (500.0, None)):
        view = LmdbConsentView(writer.place.folder, writer=writer, max_ahead_s=bound)
        assert view.gate(NOW, 60) == reason
        view.close()


def test_a_damaged_record_is_a_fault_and_reported(writer: ReplicaWriter, view: LmdbConsentView) -> None:
    writer.apply([row(0, "a", record()), row(1, "b", record())], {0: 2}, NOW, caught_up=True)
    with writer.handle.env.begin(write=True) as txn:
        db = writer.handle.records
        stored = txn.get(b"a", db=db)
        txn.put(b"a", stored.replace(b"granted", b"granteD"), db=db)
    view.version()
    with pytest.raises(ReplicaDamagedError, match="checksum"):
        view.get("a")
    assert writer.rebuild_asked()
    assert view.get("b") == record()


def test_a_second_opening_in_one_process_is_said_clearly(writer: ReplicaWriter) -> None:
    with pytest.raises(ReplicaError, match="share its view or writer"):
        LmdbConsentView(writer.place.folder).version()


def test_another_process_sees_each_commit(writer: ReplicaWriter) -> None:
    writer.apply([row(0, "a", record())], {0: 1}, NOW, caught_up=True)
    with Reader(writer.place.folder) as reader:
        assert reader.ask("view.get('a').revision") == "1"
        version = int(reader.ask("view.version()"))
        writer.apply([row(1, "a", record(revision=5)), *both_beats(NOW - 2_000)], {0: 2, 1: 1}, NOW, caught_up=True)
        assert reader.ask("view.get('a').revision") == "1"
        assert int(reader.ask("view.version()")) == version + 1
        assert reader.ask("view.get('a').revision") == "5"
        assert reader.ask(f"view.age({NOW})") == "2.0"


def test_a_reader_outlives_a_restart_growth_and_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tamis.stores.replica_file.FIRST_MAP_BYTES", 256 << 10)
    folder = tmp_path / "replica"
    with Reader(folder) as reader:
        assert reader.ask(f"view.gate({NOW}, 60)") == "'no_replica'"
        writer = ReplicaWriter(folder, IDENTITY)
        writer.apply([row(0, "a", record())], {0: 1}, NOW, caught_up=True)
        version = reader.ask("view.version()")
        assert reader.ask("view.get('a').revision") == "1"
        writer.close()
        writer = ReplicaWriter(folder, IDENTITY)
        many = [row(n, f"subject-{n:06}", record(revision=n)) for n in range(5_000)]
        writer.apply(many, {0: 5_000}, NOW, caught_up=True)
        assert reader.ask("view.version()") != version
        assert reader.ask("view.get('subject-004999').revision") == "4999"
        writer.rebuild("to see what readers do")
        writer.apply([row(0, "b", record(revision=3))], {0: 1}, NOW, caught_up=True)
        assert reader.ask("view.version()") != version
        assert reader.ask("view.get('b').revision") == "3"
        assert reader.ask("view.get('subject-004999')") == "None"
        writer.close()


def test_a_cut_file_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    writer = ReplicaWriter(folder, IDENTITY)
    writer.apply([row(n, f"s{n:05}", record()) for n in range(2_000)], {0: 2_000}, NOW, caught_up=True)
    writer.close()
    file = writer.place.file
    file.write_bytes(file.read_bytes()[: 16 * 4096])
    view = LmdbConsentView(folder)
    assert view.get("s00001") is None
    assert view.gate(NOW, 60) == "no_replica"


def test_the_table_of_records_holds_subject_keys_only(writer: ReplicaWriter) -> None:
    writer.apply([row(0, "a", record()), *both_beats(NOW)], {0: 2, 1: 1}, NOW, caught_up=True)
    with writer.handle.env.begin(db=writer.handle.env.open_db(RECORDS)) as txn:
        assert [key for key, _ in txn.cursor()] == [b"a"]
