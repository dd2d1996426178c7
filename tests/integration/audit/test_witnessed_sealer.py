"""The sealer on a real Kafka with unmodified witnesses and an authority: cosigned, anchored, a split history ended."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tamis.domain.audit.checkpoint import parse_checkpoint
from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.note import KeyKind, VerifierKey, parse_note
from tamis.domain.audit.timestamp import trusted_certificates
from tamis.kafka.reader import read_topic
from tamis.records.topics import Topic
from tamis.services.anchor_check import AnchorCheck
from tamis.services.sealer_outside import Outside
from tamis.settings import KafkaSettings, SetupError
from tamis.settings_audit import SealerSettings
from tamis.stores.sealed_folder import SealedFolder
from tamis.telemetry.metrics import Telemetry, vocabulary
from tests.support.litewitness import LiteWitness, litewitness
from tests.support.patience import Deadline
from tests.support.requirements import require
from tests.support.sealing import Installation
from tests.support.tsa import Authority, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tamis.services.sealer import Sealer
    from tests.support.kafka.cluster import KafkaCluster

pytestmark = pytest.mark.kafka
BASE = "localhost/tamis"
LIMIT_S = 60.0


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[list[LiteWitness]]:
    require("go")
    with (
        litewitness(tmp_path / "w1", "witness.example/w1", b"\x01" * 32) as first,
        litewitness(tmp_path / "w2", "witness.example/w2", b"\x02" * 32) as second,
    ):
        yield [first, second]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    require("openssl")
    with serving(Authority(tmp_path / "tsa")) as running:
        yield running


class Followed:
    """A sealer with witnesses and anchors, and its telemetry."""

    def __init__(
        self, installation: Installation, witnesses: list[LiteWitness], authority: Authority, folder: Path | None = None
    ) -> None:
        policy = installation.folder.parent / "policy"
        lines = [f"witness {each.entry.name} {each.key} {each.url}" for each in witnesses]
        lines += [f"group all all {' '.join(each.entry.name for each in witnesses)}", "quorum all"]
        policy.write_text("\n".join(lines))
        settings = SealerSettings(
            witness_policy=str(policy), witness_interval_s=0.05, tsa_urls=authority.url,
            tsa_certificates=str(authority.root), anchor_interval_s=0.5,
        )  # fmt: skip
        self.telemetry = Telemetry(vocabulary("0.1.0", "sealer"))
        self.outside = Outside(settings)
        self.sealer: Sealer = installation.sealer(folder, before=self._follow)

    def _follow(self, sealer: Sealer) -> None:
        self.outside.follow(sealer, self.telemetry.outside)

    def until(self, done: Callable[[], bool]) -> None:
        deadline = Deadline(LIMIT_S)
        while not done():
            deadline.check()
            self.sealer.round(0.05)

    def close(self) -> None:
        self.outside.stop()
        self.sealer.close()


def _size(folder: Path, name: str, log: str = "audit.log/p0/e1") -> int:
    path = folder / log / name
    return parse_checkpoint(parse_note(path.read_bytes()).text).size if path.exists() else 0


def _introduce(installation: Installation, witnesses: list[LiteWitness]) -> VerifierKey:
    public = installation.keys.entries[0].public
    for log in ("audit.log/p0/e1", "audit.log/p1/e1", "audit.control/p0/e1"):
        for each in witnesses:
            each.knows(VerifierKey(f"{BASE}/{log}", KeyKind.ED25519, public))
    return VerifierKey(BASE, KeyKind.ED25519, public)


def test_checkpoints_are_cosigned_and_anchored(
    kafka: KafkaCluster, tmp_path: Path, witnesses: list[LiteWitness], authority: Authority
) -> None:
    installation = Installation(kafka, tmp_path / "sealer")
    key = _introduce(installation, witnesses)
    installation.register()
    installation.batch(0, [1, 2, 1])
    installation.batch(1, [1] * 300)
    followed = Followed(installation, witnesses, authority)
    followed.until(lambda: _size(tmp_path / "sealer", "checkpoint.witnessed") == 4)
    installation.batch(0, [1] * 300)
    followed.until(lambda: _size(tmp_path / "sealer", "checkpoint.witnessed") == 304)
    trusted = trusted_certificates(authority.root.read_bytes())

    def covered() -> dict[str, int]:
        return AnchorCheck(SealedFolder(tmp_path / "sealer"), [key], trusted).run().covered

    followed.until(lambda: covered().get(f"{BASE}/audit.log/p0/e1") == 304)
    followed.close()
    assert AnchorCheck(SealedFolder(tmp_path / "sealer"), [key], trusted).run().ok
    published = read_topic(KafkaSettings(bootstrap=kafka.bootstrap), installation.topic(Topic.AUDIT_CHECKPOINTS))
    keys = [each.key for each in witnesses]
    cosigners = [len(cosigned_by(parse_note(record.value or b""), keys)) for record in published]
    assert set(cosigners) == {0, 2}, "first as the log signed it, then with the quorum"


def test_a_sealer_whose_history_was_lost_is_ended_by_its_witnesses(
    kafka: KafkaCluster, tmp_path: Path, witnesses: list[LiteWitness], authority: Authority
) -> None:
    installation = Installation(kafka, tmp_path / "sealer", partitions=1)
    _introduce(installation, witnesses)
    installation.register()
    installation.batch(0, [1] * 20)
    followed = Followed(installation, witnesses, authority)
    followed.until(lambda: _size(tmp_path / "sealer", "checkpoint.witnessed") == 20)
    followed.close()
    shutil.rmtree(tmp_path / "sealer")  # with it what was sealed before; the topics were restored from a backup, too
    other = Installation(kafka, tmp_path / "sealer", partitions=1)
    other.keys = installation.keys
    other.register()
    other.batch(0, [2] * 5)
    followed = Followed(other, witnesses, authority)
    with pytest.raises(SetupError, match=r"(rollback|fork): witness w[12] knows another history"):
        followed.until(lambda: False)
    followed.close()
    assert _size(tmp_path / "sealer", "checkpoint.witnessed") == 0
    assert all(each.size(f"{BASE}/audit.log/p0/e1") == 20 for each in witnesses)


def test_settings_that_cannot_be_used_are_found_at_once(tmp_path: Path) -> None:
    policy, pem = tmp_path / "policy", tmp_path / "pem"
    for text, why in (("quorum none", "no witness"), ("quorum w", "line 1"), (None, "No such file")):
        if text is None:
            policy.unlink()
        else:
            policy.write_text(text)
        with pytest.raises(SetupError, match=why):
            Outside(SealerSettings(witness_policy=str(policy)))
    pem.write_text("nothing")
    with pytest.raises(SetupError, match="no certificate"):
        Outside(SealerSettings(tsa_urls="http://127.0.0.1/", tsa_certificates=str(pem)))
