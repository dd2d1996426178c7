"""Exported records count for no more than the checkpoint beside them: another history of a log is not that log."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from tamis.cli.main import tamis
from tamis.domain.audit.control import ControlLeaf, SealerKey, SealerKeyRevoked, encode_control, sealer_key_message
from tamis.domain.audit.leaf import decode_head
from tamis.domain.audit.merkle import leaf_hashes
from tamis.domain.audit.note import NoteSigner
from tamis.domain.audit.origin import parse_origin
from tamis.services.sealed_export import add_sealed
from tamis.stores.audit_export import AuditExportWriter, read_export
from tamis.stores.tile_folder import TileWriter
from tests.support.audit import LogWriter, Record, edited, sample
from tests.support.sealed import SealedLog, private_key

if TYPE_CHECKING:
    from pathlib import Path

BASE = "localhost/tamis"
LOG = f"{BASE}/audit.log/p0/e1"
KEY = NoteSigner(BASE, private_key("log")).vkey


def run(*arguments: object) -> Result:
    return CliRunner().invoke(tamis, [str(each) for each in arguments])


def export(folder: Path, records: list[Record]) -> None:
    with AuditExportWriter(folder, "audit.log") as writer:
        for is_head, value in records:
            writer.write(0, is_head, value)


def seal(folder: Path, records: list[Record], size: int | None = None) -> None:
    """Tiles and a signed checkpoint of these records beside an export."""
    sizes = [decode_head(value).n for is_head, value in records if is_head]
    log = SealedLog([value for is_head, value in records if not is_head], LOG)
    notes = {n: log.note(n).encode() for n in sizes if size is None or n <= size}
    place = folder.with_name("records")
    export(place, records)
    add_sealed(folder, read_export(place)[1][0], {LOG: notes})


def rewritten(records: list[Record]) -> list[Record]:
    """Another history that hangs together: the last leaf's reason is another one, the last head fits it."""
    writer = LogWriter(0)
    writer.batch([1, 1, 3, 0, 1])
    writer.batch([2, 1, 1, 1, 1, 1, 1])
    writer.clock += 60_000
    writer.batch([])
    writer.batch([1, 1, 1], lost=(12, 20))
    writer.clock += 1
    writer.batch([1] * 9)
    assert writer.records != records
    assert len(writer.records) == len(records)
    return writer.records


def verified(folder: Path, *more: object) -> tuple[bool, str]:
    result = run("audit", "verify", folder, *more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code == 0, result.output


def test_records_and_tiles_of_one_log_verify_together(tmp_path: Path) -> None:
    export(tmp_path / "out", sample())
    seal(tmp_path / "out", sample())
    assert verified(tmp_path / "out", "--vkey", KEY)[0]
    assert verified(tmp_path / "out")[0]


def test_records_may_go_further_than_the_checkpoint(tmp_path: Path) -> None:
    export(tmp_path / "out", sample())
    seal(tmp_path / "out", sample(), size=20)
    assert verified(tmp_path / "out", "--vkey", KEY)[0]


@pytest.mark.parametrize("keys", [("--vkey", KEY), ()])
def test_another_history_beside_the_sealed_one_is_refused(tmp_path: Path, keys: tuple[object, ...]) -> None:
    export(tmp_path / "out", rewritten(sample()))
    seal(tmp_path / "out", sample())
    passed, text = verified(tmp_path / "out", *keys)
    assert not passed
    assert "check 'checkpoint'" in text


def test_records_that_end_before_the_checkpoint_are_refused(tmp_path: Path) -> None:
    head = next(n for n, (is_head, _) in enumerate(sample()) if is_head)
    export(tmp_path / "out", sample()[: head + 1])
    seal(tmp_path / "out", sample())
    assert not verified(tmp_path / "out", "--vkey", KEY)[0]


def test_with_a_key_records_without_any_checkpoint_prove_nothing(tmp_path: Path) -> None:
    export(tmp_path / "out", sample())
    seal(tmp_path / "out", sample())
    with AuditExportWriter(tmp_path / "two", "audit.log") as writer:
        for partition in (0, 1):
            for is_head, value in sample(partition):
                writer.write(partition, is_head, value)
    (tmp_path / "out" / "audit.log").rename(tmp_path / "two" / "audit.log")
    passed, text = verified(tmp_path / "two", "--vkey", KEY)
    assert not passed
    assert "no checkpoint of this log is in the folder" in text
    assert verified(tmp_path / "two")[0], "without a key it is records alone that are checked"


def control(folder: Path, *, revoked: bool) -> None:
    """A control log that registers a key and its successor, and perhaps revokes the first."""
    origin = f"{BASE}/audit.control/p0/e1"
    old, new = private_key("log"), private_key("new")
    texts = [b64encode(key.public_key().public_bytes_raw()).decode() for key in (old, new)]
    entries: list[SealerKey | SealerKeyRevoked] = []
    for epoch, key, by, signer in (("2026", texts[0], "", None), ("2027", texts[1], texts[0], old)):
        draft = SealerKey(at=1, by=by, epoch=epoch, key=key, not_after=9, not_before=1, sig="", sig_by="")
        message = sealer_key_message(BASE, draft)
        own = (old if epoch == "2026" else new).sign(message)
        by_sig = b64encode(signer.sign(message)).decode() if signer else ""
        entries.append(
            SealerKey(
                at=1, by=by, epoch=epoch, key=key, not_after=9, not_before=1, sig=b64encode(own).decode(), sig_by=by_sig
            )
        )
    if revoked:
        entries.append(SealerKeyRevoked(at=2, epoch="2026", key=texts[0]))
    leaves = [
        encode_control(ControlLeaf(entry=entry, log=origin, sealed_at=seq, seq=seq, prev=None))
        for seq, entry in enumerate(entries)
    ]
    writer = TileWriter(folder / parse_origin(origin).folder, sync=False)
    writer.append(leaves, leaf_hashes(leaves))
    writer.flush()
    writer.checkpoint(SealedLog(leaves, origin, key="new").note().encode())


@pytest.mark.parametrize("revoked", [False, True])
def test_a_checkpoint_of_a_revoked_sealing_key_does_not_count(tmp_path: Path, revoked: bool) -> None:
    (tmp_path / "out").mkdir()
    seal(tmp_path / "out", sample())
    control(tmp_path / "out", revoked=revoked)
    keys = ("--vkey", KEY, "--vkey", NoteSigner(BASE, private_key("new")).vkey)
    answer = json.loads(run("audit", "verify", tmp_path / "out", *keys, "--json").output)
    (log,) = [each for each in answer["logs"] if each["log"] == LOG]
    assert log["failure"]["check"] == ("signature" if revoked else "attestation"), "no worker signed these samples"


def test_an_edited_leaf_is_found_before_anything_else(tmp_path: Path) -> None:
    records = [edited(sample()[0], lambda leaf: leaf.update(why="denied")), *sample()[1:]]
    export(tmp_path / "out", records)
    seal(tmp_path / "out", sample())
    assert "check 'root'" in verified(tmp_path / "out", "--vkey", KEY)[1]
