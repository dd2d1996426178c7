"""The guide for lawyers, tried literally: its commands, in a folder that holds what it says one has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tamis.cli.main import main
from tamis.stores.evidence_zip import read_zip
from tests.support.decided import NOW, bodies, configured, decided, write_decided
from tests.support.requirements import require
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_anchors
from tests.support.sealed_prod import BASE, KEY, WITNESSES
from tests.support.tsa import Authority

PAGE = Path(__file__).resolve().parents[3] / "docs/check-a-decision.md"
POSITIONS = ("events.raw/0/0/0", "events.raw/0/1/0", "events.raw/0/3/0")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the reader works."""
    require("openssl")
    if time.time() * 1000 < NOW:
        pytest.skip("this machine's clock is before the time of the leaves: an authority would stamp them too early")
    place = tmp_path_factory.mktemp("desk")
    authority = Authority(tmp_path_factory.mktemp("tsa"))
    write_decided(place / "logs", 60)
    log = SealedLog(decided(bodies(60)), f"{BASE}/audit.log/p0/e1")
    write_anchors(place / "logs", authority, [[log.note(20)], [log.note(60)]])
    ask = [word for each in POSITIONS for word in ("--position", each)]
    assert main(["audit", "prove", str(place / "logs"), *ask, "--to", str(place / "bundle.zip")]) == 0
    (place / "log.vkey").write_text(f"{KEY}\n")
    (place / "witness.vkey").write_text("".join(f"{each.vkey}\n" for each in WITNESSES))
    (place / "authority.pem").write_bytes(authority.root.read_bytes())
    return place


def _shell(desk: Path, line: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line], cwd=desk, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_does_what_it_says(desk: Path) -> None:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    assert len(lines) == 5
    said = []
    for line in lines:
        done = _shell(desk, line)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        said.append(done.stdout)
    for shown, real in zip(_blocks("text"), said, strict=False):
        for line in shown.splitlines():
            assert line.partition("…")[0].rstrip() in real, line
    assert said[3] == "Verification: OK\n"
    assert (desk / "new.zip").read_bytes() == (desk / "bundle.zip").read_bytes()
    readme = (desk / "evidence/README.txt").read_text()
    assert POSITIONS[0] in readme
    assert configured().hash in "".join(path.name for path in (desk / "evidence/bundles").iterdir())


def test_the_readme_inside_can_be_followed_too(desk: Path) -> None:
    evidence = desk / "unpacked"
    assert _shell(desk, "python3 -m zipfile -e bundle.zip unpacked").returncode == 0
    text = (evidence / "README.txt").read_text()
    (openssl,) = set(re.findall(r"openssl ts [^\n]*\\\n[^\n]*", text))
    line = openssl.replace("\\\n", " ").replace("AUTHORITY.pem", "../authority.pem")
    assert _shell(evidence, line).stdout == "Verification: OK\n"
    tamis = re.search(r"tamis audit verify-bundle .*?\n\n", text, re.DOTALL)
    assert tamis is not None
    keys = {"THIS.zip": "bundle.zip", "LOG-KEY": "log.vkey", "WITNESS-KEY": "witness.vkey", "AUTHORITY": "authority"}
    line = tamis[0].replace("\\\n", " ")
    for word, meant in keys.items():
        line = line.replace(word, meant)
    assert _shell(desk, line).stdout.endswith("VERIFIED\n")


def test_what_the_page_warns_of_fails(desk: Path) -> None:
    command = "tamis audit verify-bundle bundle.zip"
    assert _shell(desk, command).stdout.endswith("NOT VERIFIED\n")
    assert _shell(desk, f"{command} --vkey witness.vkey").returncode == 2
    whole = (desk / "bundle.zip").read_bytes()
    for at in range(40, len(whole), len(whole) // 8):
        (desk / "bent.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        done = _shell(desk, f"{command.replace('bundle.zip', 'bent.zip')} --vkey log.vkey --witness-vkey witness.vkey")
        if done.returncode == 0:
            assert read_zip(desk / "bent.zip") == read_zip(desk / "bundle.zip"), at
