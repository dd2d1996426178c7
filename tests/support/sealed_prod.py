"""An installation's folder of sealed logs: two partitions, two witnesses, keys; leaves written by the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.domain.audit.cosignature import Cosigner
from tamis.domain.audit.evidence_check import Trust
from tamis.domain.audit.note import NoteSigner
from tamis.domain.audit.policy import PolicyWitness, threshold
from tamis.stores.sealed_folder import SealedFolder
from tests.support.audit import LogWriter
from tests.support.sealed import SealedLog, private_key
from tests.support.sealed_folder import write_log

if TYPE_CHECKING:
    from pathlib import Path

BASE = "audit.example.org/prod"
KEY = NoteSigner(BASE, private_key("log")).vkey
WITNESSES = [Cosigner(f"witness.example/w{n}", private_key(f"w{n}")) for n in (1, 2)]
POLICY = threshold([PolicyWitness(each.vkey.name, each.vkey) for each in WITNESSES], 2)
TRUST = Trust(keys=(KEY,), witnesses=POLICY)


def prod_log(partition: int, events: int) -> SealedLog:
    """So many events of one partition, some several to a record, some offsets without a record."""
    writer = LogWriter(partition)
    writer.batch([1, 2, 0, 3] * (events // 6) + [1] * (events % 6))
    leaves = [value for is_head, value in writer.records if not is_head]
    assert len(leaves) == events
    return SealedLog(leaves, f"{BASE}/audit.log/p{partition}/e1")


def write_prod(place: Path) -> SealedFolder:
    """Two logs, of 700 and 600 leaves; of the second only 500 are witnessed."""
    write_log(place, prod_log(0, 700), cosigners=WITNESSES)
    write_log(place, prod_log(1, 600), cosigners=WITNESSES, witnessed=500)
    return SealedFolder(place)
