"""``tamis audit prove`` and ``verify-bundle`` as their users see them: exit codes, texts, wrong inputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from tamis.cli.main import tamis
from tamis.domain.keyed import mac
from tamis.domain.pseudonym import EventIds, ProofIds, position_block, tokens_of
from tamis.keys.file import create_key_file, read_key_file
from tamis.keys.rotation import rotate_key_file
from tests.support.sealed import SealedLog
from tests.support.sealed_folder import write_log
from tests.support.sealed_prod import BASE, KEY, WITNESSES, prod_log, write_prod

if TYPE_CHECKING:
    from pathlib import Path

    from tamis.stores.sealed_folder import SealedFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SealedFolder:
    return write_prod(tmp_path_factory.mktemp("sealed"))


def _run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(tamis, [str(each) for each in arguments], input=stdin)


def test_prove_and_verify_by_position(folder: SealedFolder, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    made = _run("audit", "prove", folder.folder, "--position", "events.raw/0/1/1", "--to", target)
    assert (made.exit_code, made.output.splitlines()[0]) == (0, f"events.raw/0/1/1: leaf 2 of {BASE}/audit.log/p0/e1")
    keys = [word for each in WITNESSES for word in ("--witness-vkey", each.vkey)]
    checked = _run("audit", "verify-bundle", target, "--vkey", KEY, *keys)
    assert checked.exit_code == 0, checked.output
    assert checked.output.splitlines()[-1] == "VERIFIED"
    answer = json.loads(_run("audit", "verify-bundle", target, "--vkey", KEY, "--json").output)
    assert answer["verified"] is True
    assert {line["check"]: line["state"] for line in answer["checks"]} == {
        "inclusion": "ok", "signature": "ok", "place": "ok", "witnesses": "not checked", "timestamp": "not checked",
        "rules": "not checked", "verdict": "not checked", "event": "not checked",
    }  # fmt: skip


def test_keys_may_stand_in_files_and_witnesses_in_a_policy(folder: SealedFolder, tmp_path: Path) -> None:
    target, keys, policy = tmp_path / "bundle.zip", tmp_path / "keys", tmp_path / "policy"
    _run("audit", "prove", folder.folder, "--position", "events.raw/0/1/1", "--to", target)
    keys.write_text(f"# keys of 2027\n\n{KEY}\n")
    policy.write_text(f"witness w {WITNESSES[0].vkey}\nquorum w\n")
    assert _run("audit", "verify-bundle", target, "--vkey", keys, "--policy", policy).exit_code == 0
    policy.write_text("quorum w\n")
    wrong = _run("audit", "verify-bundle", target, "--vkey", keys, "--policy", policy)
    assert wrong.exit_code == 2
    assert "line 1: w is not defined before" in wrong.output


def test_without_a_key_nothing_is_verified(folder: SealedFolder, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    _run("audit", "prove", folder.folder, "--position", "events.raw/0/1/1", "--to", target)
    checked = _run("audit", "verify-bundle", target)
    assert checked.exit_code == 1
    assert "no key of the log was given (--vkey)" in checked.output
    assert checked.output.splitlines()[-1] == "NOT VERIFIED"


def test_what_is_not_there_and_what_is_wrong(folder: SealedFolder, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    for arguments, code, text in (
        ((folder.folder, "--position", "events.raw/0/2"), 1, "no sealed decision for events.raw/0/2 in"),
        ((folder.folder, "--position", "events.raw"), 2, "a position is TOPIC/PARTITION"),
        ((folder.folder,), 2, "nothing to prove"),
        ((tmp_path, "--position", "events.raw/0/1"), 2, "holds no sealed log"),
    ):
        result = _run("audit", "prove", *arguments, "--to", target)
        said = result.output + str(getattr(result.exception, "message", result.exception or ""))
        assert getattr(result.exception, "exit_code", result.exit_code) == code, said
        assert text in said
    assert not target.exists()
    assert _run("audit", "verify-bundle", tmp_path / "none.zip").exit_code == 2
    (tmp_path / "x.zip").write_bytes(b"PK")
    assert _run("audit", "verify-bundle", tmp_path / "x.zip", "--vkey", "nonsense").exit_code == 2
    assert (
        "byte 04; is this a log's" in _run("audit", "verify-bundle", tmp_path / "x.zip", "--witness-vkey", KEY).output
    )


def test_many_positions_from_standard_input(folder: SealedFolder, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    lines = "".join(f"events.raw/1/{offset}/0\n" for offset in range(40) if offset % 4 != 2)
    made = _run("audit", "prove", folder.folder, "--positions", "-", "--to", target, "--json", stdin=lines)
    assert len(json.loads(made.output)["items"]) == 30


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.json"
    create_key_file(path, now_ms=0)
    monkeypatch.setenv("TAMIS_KEYS__FILE", str(path))
    return path


def test_a_proof_id_names_its_position(folder: SealedFolder, tmp_path: Path, keys: Path) -> None:
    derive = read_key_file(keys).derive
    (proof_id,) = tokens_of(ProofIds(derive("proof/crm")).encipher([position_block(1, 5, 1)]))
    ask = ("audit", "prove", folder.folder, "--proof-id", proof_id.decode(), "--to", tmp_path / "b.zip")
    made = _run(*ask, "--destination", "crm")
    assert made.output.startswith("events.raw/1/5/1: leaf ")
    assert _run(*ask, "--destination", "other").exit_code == 1


def test_an_event_id_is_read_and_never_shown(folder: SealedFolder, tmp_path: Path, keys: Path) -> None:
    target = tmp_path / "b.zip"
    missing = _run("audit", "prove", folder.folder, "--event-id", "-", "--to", target, stdin="mail@example.org\n")
    assert missing.exit_code == 1
    assert "no sealed decision for event id 1" in missing.output
    assert "mail@" not in missing.output


def test_an_event_is_found_by_its_own_id_and_by_the_one_a_destination_received(tmp_path: Path, keys: Path) -> None:
    derive = read_key_file(keys).derive
    tag = mac(derive("audit/eid"))(b"m-1")[:16]
    (sent,) = tokens_of(EventIds(derive("event/crm")).encipher([tag]))
    log = prod_log(0, 20)
    log = SealedLog([leaf.replace(b"e" * 22, tag.hex().encode()) if n in {3, 7} else leaf
                     for n, leaf in enumerate(log.leaves)], log.origin)  # fmt: skip
    write_log(tmp_path / "sealed", log)
    for number, (name, arguments) in enumerate([("m-1", ()), (sent.decode(), ("--destination", "crm"))]):
        ask = ("audit", "prove", tmp_path / "sealed", "--event-id", "-", "--to", tmp_path / f"{number}.zip", "--json")
        items = json.loads(_run(*ask, *arguments, stdin=f"{name}\n").output)["items"]
        assert [item["index"] for item in items] == [3, 7]
    assert _run(*ask, "--destination", "crm", stdin="m-1\n").exit_code != 0


@pytest.mark.parametrize("incident", [False, True])
def test_ids_of_an_earlier_epoch_are_still_read(
    folder: SealedFolder, tmp_path: Path, keys: Path, *, incident: bool
) -> None:
    tag = mac(read_key_file(keys).derive("audit/eid"))(b"m-1")[:16]
    log = prod_log(0, 20)
    leaves = [leaf.replace(b"e" * 22, tag.hex().encode()) if n == 3 else leaf for n, leaf in enumerate(log.leaves)]
    write_log(tmp_path / "sealed", SealedLog(leaves, log.origin))
    sent = []
    for overlap in (7, 7):
        derive = read_key_file(keys).derive
        proof, event = ProofIds(derive("proof/crm")), EventIds(derive("event/crm"))
        sent.append((tokens_of(proof.encipher([position_block(1, 5, 1)]))[0], tokens_of(event.encipher([tag]))[0]))
        rotate_key_file(keys, now_ms=7, overlap_ms=overlap, incident=incident)
    assert (sent[0] != sent[1]) == incident
    for number, (proof_id, event_id) in enumerate(sent):
        to = tmp_path / f"{number}.zip", tmp_path / f"{number}-event.zip"
        by_proof = _run("audit", "prove", folder.folder, "--proof-id", proof_id.decode(), "--to", to[0],
                        "--destination", "crm")  # fmt: skip
        assert by_proof.output.startswith("events.raw/1/5/1: leaf ")
        by_event = _run("audit", "prove", tmp_path / "sealed", "--event-id", "-", "--to", to[1], "--json",
                        "--destination", "crm", stdin=f"{event_id.decode()}\n")  # fmt: skip
        assert [item["index"] for item in json.loads(by_event.output)["items"]] == [3]
