"""Evidence and folders of somebody who wants them to pass: nothing wrong is accepted, nothing ends in a traceback."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from tamis.cli.main import tamis
from tamis.settings import SetupError
from tests.support.decided import write_decided
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import BASE, KEY, prod_log, write_prod
from tests.support.tsa import Authority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tamis.stores.sealed_folder import SealedFolder

Files = dict[str, bytes]
ESCAPES = "\x1b[2K\rVERIFIED\u202e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SealedFolder:
    return write_prod(tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="module")
def honest(folder: SealedFolder, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of evidence about two decisions of two logs."""
    target = tmp_path_factory.mktemp("evidence") / "bundle.zip"
    made = run("audit", "prove", folder.folder, "--position", "events.raw/0/1/1", "--position", "events.raw/1/5/1",
               "--to", target)  # fmt: skip
    assert made.exit_code == 0, made.output
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(tamis, [str(each) for each in arguments])


def zipped(files: Files) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value)
    return made.getvalue()


def judged(place: Path, value: bytes, *more: object) -> Result:
    """What ``verify-bundle`` says of these bytes: refused, and in order."""
    file = place / "hostile.zip"
    file.write_bytes(value)
    result = run("audit", "verify-bundle", file, "--vkey", KEY, *more)
    assert result.exception is None or isinstance(result.exception, (SystemExit, SetupError)), result.exception
    return result


def refused(result: Result) -> bool:
    return result.exit_code != 0 and "\nVERIFIED" not in f"\n{result.output}"


def manifest(files: Files, change: Callable[[Any], None]) -> Files:
    told = json.loads(files["evidence.json"])
    change(told)
    return files | {"evidence.json": json.dumps(told).encode()}


def test_the_honest_evidence_passes(honest: Files, tmp_path: Path) -> None:
    assert judged(tmp_path, zipped(honest)).exit_code == 0


def swapped_proofs(files: Files) -> Files:
    names = sorted(name for name in files if name.startswith("proofs/"))
    return files | {names[0]: files[names[1]], names[1]: files[names[0]]}


def swapped_leaves(files: Files) -> Files:
    return files | {
        "leaves/000001.json": files["leaves/000002.json"],
        "leaves/000002.json": files["leaves/000001.json"],
    }


def other_log(files: Files) -> Files:
    return manifest(files, lambda told: told["items"][0].update(log=told["items"][1]["log"]))


def lookalike(files: Files) -> Files:
    """A checkpoint whose origin only looks like the log's."""
    (name,) = (name for name in files if name.startswith("proofs/000001"))
    faked = files[name].decode().replace("audit.example", "\u0430udit.example")
    changed = manifest(files, lambda told: told["items"][0].update(log=f"\u0430{BASE[1:]}/audit.log/p0/e1"))
    return changed | {name: faked.encode()}


def another_checkpoint(files: Files) -> Files:
    (name,) = (name for name in files if name.startswith("proofs/000001"))
    head = files[name].decode().partition("\n\n")[0]
    return files | {name: f"{head}\n\n{prod_log(0, 300).note()}".encode()}


def endless(files: Files) -> Files:
    return manifest(files, lambda told: told.update(items=told["items"] * 60_000))


def huge_numbers(files: Files) -> Files:
    return manifest(files, lambda told: told["items"][0].update(index=10**4000))


def negative(files: Files) -> Files:
    return manifest(files, lambda told: told["items"][0].update(index=-1))


def deep(files: Files) -> Files:
    return files | {"evidence.json": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"}


def deep_leaf(files: Files) -> Files:
    return files | {"leaves/000001.json": b'{"bundle":' + b"[" * 30_000 + b"]" * 30_000 + b"}"}


def no_proof(files: Files) -> Files:
    return manifest(files, lambda told: told["items"][0].update(proofs=[]))


def no_items(files: Files) -> Files:
    return manifest(files, lambda told: told.update(items=[]))


def climbing(files: Files) -> Files:
    return files | {"../../../tmp/climbed": b"x"}


def named_climbing(files: Files) -> Files:
    changed = manifest(files, lambda told: told["items"][0].update(leaf="leaves/../../climbed.json"))
    return changed | {"leaves/../../climbed.json": files["leaves/000001.json"]}


def foreign_digits(files: Files) -> Files:
    name = "leaves/00000\u0661.json"
    changed = manifest(files, lambda told: told["items"][0].update(leaf=name))
    del changed["leaves/000001.json"]
    return changed | {name: files["leaves/000001.json"]}


@pytest.mark.parametrize(
    "attack",
    [swapped_proofs, swapped_leaves, other_log, lookalike, another_checkpoint, endless, huge_numbers, negative, deep,
     deep_leaf, no_proof, no_items, climbing, named_climbing, foreign_digits],
)  # fmt: skip
def test_forged_evidence_is_refused(honest: Files, tmp_path: Path, attack: Callable[[Files], Files]) -> None:
    assert refused(judged(tmp_path, zipped(attack(honest))))
    assert not list(tmp_path.rglob("climbed*"))


def test_what_a_forger_writes_does_not_steer_the_terminal(honest: Files, tmp_path: Path) -> None:
    for change in (
        lambda told: told["items"][0].update(log=ESCAPES, position=ESCAPES),
        lambda told: told["items"][0].update(leaf=ESCAPES),
        lambda told: told.update(bundles=[ESCAPES]),
    ):
        result = judged(tmp_path, zipped(manifest(honest, change)))
        assert refused(result)
        assert not {"\x1b", "\r", "\u202e"} & set(result.output)


def test_a_zip_that_claims_much_or_holds_a_file_twice_is_refused(honest: Files, tmp_path: Path) -> None:
    bomb = zipped(honest | {f"leaves/{n:06d}.json": b"0" * (1 << 20) for n in range(10, 60)})
    assert len(bomb) < 200_000
    assert refused(judged(tmp_path, bomb))
    assert refused(judged(tmp_path, zipped(honest | {"README.txt": b"0" * (17 << 20)})))
    twice = BytesIO(zipped(honest))
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("leaves/000001.json", honest["leaves/000002.json"])
    assert refused(judged(tmp_path, twice.getvalue()))


def test_asking_for_a_timestamp_is_not_met_by_leaving_the_anchor_out(honest: Files, tmp_path: Path) -> None:
    result = judged(tmp_path, zipped(honest), "--tsa", Authority(tmp_path / "tsa").root)
    assert refused(result)
    assert "there is no anchor in it" in result.output


def test_any_damage_to_the_file_is_refused_or_harmless(honest: Files, tmp_path: Path) -> None:
    """Damage in what a zip says of dates, versions or attributes changes no file; everything else is found."""
    dice, value = random.Random(5), zipped(honest)
    for _ in range(400):
        at = dice.randrange(len(value))
        changed = value[:at] + bytes([value[at] ^ (1 << dice.randrange(8))]) + value[at + 1 :]
        result = judged(tmp_path, changed)
        if result.exit_code == 0:
            with zipfile.ZipFile(tmp_path / "hostile.zip") as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == honest
    for cut in range(0, len(value), 97):
        assert refused(judged(tmp_path, value[:cut]))


# -- explanations


@pytest.mark.parametrize(
    "leaf",
    [
        {"ts": 10**40},
        {"ts": -(10**18)},
        {"facts": {"person": {"gdpr": {"x": [["g", 10**30]]}}}},
        {"rev": 7},
        {"dest": []},
        {"src": {}},
        {"reg": 5},
        {"bundle": ESCAPES},
        {"out": ESCAPES, "why": ESCAPES, "facts": {"age": ESCAPES}, "rule": ESCAPES, "dest": {ESCAPES: ESCAPES}},
    ],
)
def test_a_leaf_of_somebody_else_is_explained_or_refused_in_order(tmp_path: Path, leaf: dict[str, Any]) -> None:
    place = write_decided(tmp_path / "logs", 6)
    run("audit", "prove", place, "--position", "events.raw/0/0/0", "--to", tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(files["leaves/000001.json"]) | leaf
    (tmp_path / "bundle.zip").write_bytes(zipped(files | {"leaves/000001.json": json.dumps(told).encode()}))
    result = run("explain", tmp_path / "bundle.zip")
    assert result.exception is None or hasattr(result.exception, "exit_code") or isinstance(
        result.exception, SystemExit
    ), result.exception  # fmt: skip
    said = result.output + str(getattr(result.exception, "message", ""))
    assert result.exit_code != 0
    assert not {"\x1b", "\r", "\u202e"} & set(said)


# -- folders


def test_a_log_of_another_installation_is_none_of_this_one(tmp_path: Path) -> None:
    """The key of ``audit.example.org`` speaks for all below it, yet a folder holds the logs of one installation."""
    write_log(tmp_path, prod_log(0, 20))
    other = SealedLog(prod_log(1, 20).leaves, "audit.example.org/test/audit.log/p1/e1")
    write_log(tmp_path, other)
    result = run("audit", "verify", tmp_path)
    assert result.exit_code == 1
    assert "a log of audit.example.org/test among those of audit.example.org/prod" in result.output


def test_heads_with_wild_numbers_are_refused(folder: SealedFolder, tmp_path: Path) -> None:
    place = tmp_path / "logs"
    shutil.copytree(folder.folder, place)
    for line in (b"-5 {}\n", b"9" * 5_000 + b" {}\n", "\u0661 {}\n".encode(), b"1_0 {}\n", b"\n", b" \n"):
        (place / "audit.log/p0/e1/heads").write_bytes(line)
        result = run("audit", "verify", place, "--vkey", KEY)
        assert result.exit_code == 1, line
        assert isinstance(result.exception, SystemExit), result.exception
