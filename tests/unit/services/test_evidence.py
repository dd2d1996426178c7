"""Evidence from a folder alone: a thousand decisions, and everything that is changed in it is found."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.evidence import Evidence, EvidenceError, State
from tamis.domain.audit.evidence_check import Trust, check, verified
from tamis.domain.audit.note import NoteSigner
from tamis.services.evidence import EvidenceGatherer
from tamis.services.leaf_search import by_position, by_tag, parse_position
from tamis.settings import SetupError
from tamis.stores.evidence_zip import read_zip, write_evidence
from tamis.stores.sealed_folder import SealedFolder
from tests.support.sealed import private_key
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import BASE, KEY, TRUST, prod_log, write_prod

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SealedFolder:
    return write_prod(tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="module")
def thousand(folder: SealedFolder) -> Evidence:
    positions = [(log, n) for log in folder.logs for n in range(500)]
    found = []
    for log, n in positions:
        source = json.loads(log.entry(n))["src"]
        found += by_position(folder, parse_position(f"events.raw/{source['p']}/{source['o']}/{source['i']}"))
    assert [each.index for each in found] == [n for _, n in positions]
    return EvidenceGatherer(folder, [KEY]).gather(found)


def test_a_thousand_decisions_verify_from_one_file(thousand: Evidence, tmp_path: Path) -> None:
    write_evidence(tmp_path / "bundle.zip", thousand, "how to check\n")
    evidence = read_zip(tmp_path / "bundle.zip")
    assert evidence == thousand
    lines = check(evidence, TRUST)
    assert verified(lines)
    states = {line.check: line.state for line in lines}
    assert [states[name] for name in ("inclusion", "signature", "place", "witnesses")] == [State.OK] * 4
    with pytest.raises(SetupError, match="already there"):
        write_evidence(tmp_path / "bundle.zip", thousand, "")


def test_the_same_evidence_is_the_same_file(thousand: Evidence, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_evidence(tmp_path / name, thousand, "how to check\n")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def _one(folder: SealedFolder, index: int, log: int = 0) -> Evidence:
    found = by_position(folder, parse_position(_position(folder, index, log)))
    return EvidenceGatherer(folder).gather(found)


def _position(folder: SealedFolder, index: int, log: int = 0) -> str:
    source = json.loads(folder.logs[log].entry(index))["src"]
    return f"events.raw/{source['p']}/{source['o']}/{source['i']}"


def test_a_leaf_behind_the_witnessed_checkpoint_is_sealed_only(folder: SealedFolder) -> None:
    evidence = _one(folder, 550, log=1)
    assert evidence.manifest.items[0].proofs == ("proofs/000001.sealed.tlog-proof",)
    states = {line.check: line.state for line in check(evidence, TRUST)}
    assert (states["signature"], states["witnesses"]) == (State.OK, State.FAILED)


def test_every_changed_byte_of_leaf_and_proof_is_found(folder: SealedFolder) -> None:
    evidence = _one(folder, 123)
    for name, value in evidence.files.items():
        for at in range(len(value)):
            changed = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
            assert not verified(check(Evidence(evidence.manifest, {**evidence.files, name: changed}), TRUST)), (
                name,
                at,
            )


def test_a_key_of_somebody_else_verifies_nothing(folder: SealedFolder) -> None:
    evidence = _one(folder, 5)
    assert not verified(check(evidence, Trust()))
    stranger = NoteSigner(BASE, private_key("stranger")).vkey
    assert not verified(check(evidence, Trust(keys=(stranger,))))
    elsewhere = NoteSigner("audit.example.org/pro", private_key("log")).vkey
    lines = {line.check: line for line in check(evidence, Trust(keys=(elsewhere,)))}
    assert "none of the given keys speaks for this log" in lines["signature"].failures[0]


def test_a_leaf_passed_off_as_another_decision(folder: SealedFolder) -> None:
    evidence = _one(folder, 5)
    item = evidence.manifest.items[0]
    for change in ({"index": 6}, {"position": "events.raw/0/9/0"}, {"log": f"{BASE}/audit.log/p1/e1"}):
        manifest = _with(evidence, {**{f: getattr(item, f) for f in item.__struct_fields__}, **change})
        assert not verified(check(manifest, TRUST))


def _with(evidence: Evidence, item: dict[str, object]) -> Evidence:
    manifest = evidence.manifest
    kind = type(manifest.items[0])
    return Evidence(type(manifest)(items=(kind(**item),)), evidence.files)  # type: ignore[arg-type]


def test_events_are_found_by_tag_and_position_only_where_they_are(folder: SealedFolder) -> None:
    assert len(by_tag(folder, "e" * 22)) == 1300
    assert by_tag(folder, "f" * 22) == []
    assert by_position(folder, parse_position("events.raw/0/2")) == [], "an offset without a record"
    assert by_position(folder, parse_position("events.raw/7/2")) == []
    assert by_position(folder, parse_position("events.held/0/0")) == []
    for text in ("", "events.raw", "events.raw/0", "events.raw/0/x", "events.raw/0/1/2/3", "/0/1/2", "t/-1/0/0"):
        with pytest.raises(ValueError, match="a position is"):
            parse_position(text)


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in files.items():
            archive.writestr(name, value)
    return path


def test_what_is_no_evidence(folder: SealedFolder, tmp_path: Path) -> None:
    evidence = _one(folder, 5)
    write_evidence(tmp_path / "good.zip", evidence, "")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = evidence.manifest.items[0].leaf
    cases = {
        "no-manifest": {n: v for n, v in files.items() if n != "evidence.json"},
        "missing": {n: v for n, v in files.items() if n != name},
        "extra": files | {"leaves/000002.json": b"{}"},
        "escape": {n: v.replace(b"leaves/000001.json", b"../../../../etc/x") for n, v in files.items()},
        "version": files | {"evidence.json": files["evidence.json"].replace(b'"v": 1', b'"v": 2')},
        "empty": {},
    }
    for case, content in cases.items():
        with pytest.raises(EvidenceError):
            read_zip(_zip(tmp_path / f"{case}.zip", content))
    (tmp_path / "text.zip").write_text("not a zip")
    for path in ("text.zip", "nowhere.zip"):
        with pytest.raises(SetupError):
            read_zip(tmp_path / path)


def test_a_damaged_folder_gives_no_evidence(tmp_path: Path) -> None:
    place = write_log(tmp_path, prod_log(0, 300))
    entries = place / "tile/entries/000"
    entries.write_bytes(entries.read_bytes().replace(b"granted", b"grunted", 1))
    folder = SealedFolder(tmp_path)
    with pytest.raises(SetupError, match="does not lead to the root"):
        _one(folder, 0)
    entries.write_bytes(entries.read_bytes()[:-1])
    with pytest.raises(SetupError, match="tile/entries/000: a bundle of"):
        _one(SealedFolder(tmp_path), 0)
    entries.unlink()
    with pytest.raises(SetupError, match="tile/entries/000 is missing"):
        _one(SealedFolder(tmp_path), 0)
