"""Anchors in a folder: checked by us and by openssl; a log cut off or rewritten behind an anchor is found."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tamis.cli.main import tamis
from tamis.domain.audit.evidence_check import Trust, check, verified
from tamis.domain.audit.timestamp import trusted_certificates
from tamis.services.anchor_check import AnchorCheck, AnchorReport
from tamis.services.evidence import EvidenceGatherer
from tamis.services.leaf_search import by_position, parse_position
from tamis.stores.sealed_folder import SealedFolder
from tests.support.requirements import require
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_anchors, write_log
from tests.support.sealed_prod import KEY, POLICY, prod_log, write_prod
from tests.support.tsa import Authority

if TYPE_CHECKING:
    from pathlib import Path


class Anchored:
    """A folder with three anchors, and its authority."""

    def __init__(self, place: Path) -> None:
        self.authority = Authority(place / "tsa")
        self.path = place / "sealed"
        write_prod(self.path)
        self.logs = [prod_log(0, 700), prod_log(1, 600)]
        rounds = [[self.logs[0].note(at), self.logs[1].note(at)] for at in (100, 300, 600)]
        write_anchors(self.path, self.authority, rounds)

    def check(self, path: Path | None = None) -> AnchorReport:
        trusted = trusted_certificates(self.authority.root.read_bytes())
        return AnchorCheck(SealedFolder(path or self.path), [KEY], trusted).run()


@pytest.fixture(scope="module")
def anchored(tmp_path_factory: pytest.TempPathFactory) -> Anchored:
    require("openssl")
    return Anchored(tmp_path_factory.mktemp("anchored"))


def test_a_chain_of_anchors_verifies_and_openssl_agrees(anchored: Anchored) -> None:
    report = anchored.check()
    assert report.ok, report.failures
    assert report.anchors == 3
    assert set(report.covered.values()) == {600}
    for number in (1, 2, 3):
        said = subprocess.run(
            ["openssl", "ts", "-verify", "-data", f"anchors/{number}.txt", "-in", f"anchors/{number}.tsr",
             "-CAfile", anchored.authority.root],
            cwd=anchored.path, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert (said.returncode, said.stdout) == (0, "Verification: OK\n")


def _copy(anchored: Anchored, tmp_path: Path) -> Path:
    shutil.copytree(anchored.path, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_log_cut_off_cleanly_behind_an_anchor_is_found(anchored: Anchored, tmp_path: Path) -> None:
    place = _copy(anchored, tmp_path)
    shutil.rmtree(place / "audit.log/p1")
    cut = SealedLog(anchored.logs[1].leaves[:400], anchored.logs[1].origin)
    write_log(place, cut)
    (failure,) = anchored.check(place).failures
    assert failure.anchor == 3
    assert "anchored with 600 leaves, but the log has only 400: it was cut off" in failure.detail


def test_a_log_rewritten_with_the_stolen_key_is_found(anchored: Anchored, tmp_path: Path) -> None:
    place = _copy(anchored, tmp_path)
    shutil.rmtree(place / "audit.log/p1")
    leaves = list(anchored.logs[1].leaves)
    leaves[250] = leaves[250].replace(b"granted", b"grunted")
    write_log(place, SealedLog(leaves, anchored.logs[1].origin))
    failures = anchored.check(place).failures
    assert [each.anchor for each in failures] == [2, 3]
    assert all("are not those that were anchored" in each.detail for each in failures)


def test_a_log_left_out_of_the_folder_is_found(anchored: Anchored, tmp_path: Path) -> None:
    place = _copy(anchored, tmp_path)
    shutil.rmtree(place / "audit.log/p0")
    assert "is not in the folder" in anchored.check(place).failures[0].detail


def test_each_file_of_an_anchor_is_covered(anchored: Anchored, tmp_path: Path) -> None:
    place = _copy(anchored, tmp_path)
    for name in ("1.txt", "1.tsr", "2.txt", "2.tsr", "3.txt"):
        path = place / "anchors" / name
        kept = path.read_bytes()
        for at in range(0, len(kept), 31):
            path.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
            assert not anchored.check(place).ok, (name, at)
        path.write_bytes(kept)
    assert anchored.check(place).ok


def test_evidence_shows_the_earliest_time(anchored: Anchored) -> None:
    folder = SealedFolder(anchored.path)
    positions = ["events.raw/0/1/0", "events.raw/0/200/0", "events.raw/1/100/0"]
    found = [leaf for text in positions for leaf in by_position(folder, parse_position(text))]
    assert [leaf.index for leaf in found] == [1, 300, 150]
    evidence = EvidenceGatherer(folder).gather(found)
    assert evidence.manifest.anchors == (1, 2, 3)
    trusted = trusted_certificates(anchored.authority.root.read_bytes())
    trust = Trust(keys=(KEY,), witnesses=POLICY, authorities=trusted)
    lines = check(evidence, trust)
    assert verified(lines), lines
    assert next(line for line in lines if line.check == "timestamp").state == "ok"
    behind = EvidenceGatherer(folder).gather(by_position(folder, parse_position("events.raw/0/450/0")))
    assert behind.manifest.anchors == (), "no anchor covers it yet"
    strange = trusted_certificates(Authority(anchored.path.parent / "other").root.read_bytes())
    assert not verified(check(evidence, Trust(keys=(KEY,), authorities=strange)))


def test_the_command_says_what_it_found(anchored: Anchored, tmp_path: Path) -> None:
    ask = ["audit", "verify", str(anchored.path), "--vkey", str(KEY), "--anchors", str(anchored.authority.root)]
    said = CliRunner().invoke(tamis, ask).output
    assert "anchors: ok\n  3 anchors, stamped from " in said
    answer = json.loads(CliRunner().invoke(tamis, [*ask, "--json"]).output)
    assert (answer["anchors"]["anchors"], answer["anchors"]["failures"]) == (3, [])
    place = _copy(anchored, tmp_path)
    shutil.rmtree(place / "audit.log/p1")
    write_log(place, SealedLog(anchored.logs[1].leaves[:400], anchored.logs[1].origin))
    cut = CliRunner().invoke(tamis, [*ask[:2], str(place), *ask[3:]])
    assert cut.exit_code == 1
    assert "failure: check 'anchor' at anchor 3: " in cut.output
    shutil.rmtree(place / "anchors")
    assert "there is none in this folder" in CliRunner().invoke(tamis, [*ask[:2], str(place), *ask[3:]]).output
    assert CliRunner().invoke(tamis, ["audit", "verify", "--anchors", str(anchored.authority.root)]).exit_code != 0
