"""The topic ``rules`` as a value: what was published, which bundle is active, and what is wrong with it.

Rules: a record whose signature is not by a trusted key is as if it were not there, and is told; a pointer for another
topic likewise; of several pointers of a role the highest number holds, of equal ones the first; a bundle whose hash
does not follow from its source is refused. Reading never raises, whatever stands in the topic.
Not handled here: reading and writing Kafka, whether the topics a bundle names exist.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from tamis.bundles.folder import Parts, read_files
from tamis.bundles.load import Checked, compile_source, finish
from tamis.bundles.problem import Problem
from tamis.bundles.signing import verified
from tamis.bundles.source import NAME, bundle_hash, canonical
from tamis.domain.bundle import Bundle
from tamis.records.rules import (
    ACTIVE,
    SHADOW,
    WORKER,
    BundleBody,
    PointerBody,
    Signed,
    WorkerReport,
    decode_report,
    decode_signed,
)

MAX_ODD = 100
_Body = TypeVar("_Body")


class Published:
    """What stands in the topic.

    Args:
        topic: its full name.
        trusted: public keys whose records count.

    Attributes:
        bundles: hash -> what was published.
        pointers: role -> the one that holds.
        reports: worker -> its last report.
        odd: what stands in the topic and does not count, newest last.
    """

    def __init__(self, topic: str, trusted: Iterable[str]) -> None:
        self._topic = topic
        self._trusted = frozenset(trusted)
        self.bundles: dict[str, BundleBody] = {}
        self.pointers: dict[str, PointerBody] = {}
        self.reports: dict[str, WorkerReport] = {}
        self.odd: list[str] = []

    def pointer(self, role: str = ACTIVE) -> PointerBody | None:
        """Which bundle has a role, None when none ever had."""
        return self.pointers.get(role)

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Takes in one record, in the order of the topic."""
        name = (key or b"").decode("utf-8", "replace")
        if name.startswith(WORKER):
            self._report(name.removeprefix(WORKER), value)
        elif value is not None:
            signed = decode_signed(value)
            if signed is None:
                self._oddity(f"{name}: not a record of this version")
            elif signed.key not in self._trusted:
                self._oddity(f"{name}: signed by {signed.key}, which is not trusted")
            elif not verified(signed.key, signed.sig, bytes(signed.body)):
                self._oddity(f"{name}: the signature does not fit")
            else:
                self._signed(name, signed)

    def _signed(self, name: str, signed: Signed) -> None:
        if name not in (ACTIVE, SHADOW):
            body = _body(signed, BundleBody)
            if body is None or body.hash != name:
                self._oddity(f"{name}: not a bundle of this name")
            elif bundle_hash(body.source.encode()) != body.hash:
                self._oddity(f"{name}: the hash does not follow from the source")
            else:
                self.bundles[name] = body
            return
        pointer = _body(signed, PointerBody)
        known = self.pointers.get(name)
        if pointer is None or pointer.role != name or pointer.topic != self._topic:
            self._oddity(f"{name}: a pointer for something else")
        elif known is not None and pointer.seq <= known.seq:
            if pointer != known:
                self._oddity(f"{name}: number {pointer.seq} was used before")
        else:
            self.pointers[name] = pointer

    def _report(self, worker: str, value: bytes | None) -> None:
        report = decode_report(value) if value is not None else None
        if report is None:
            self.reports.pop(worker, None)
        else:
            self.reports[worker] = report

    def _oddity(self, text: str) -> None:
        self.odd = [*self.odd[-MAX_ODD + 1 :], text]

    def check(self, name: str) -> Checked:
        """The bundle of a hash, or all that is wrong with it; lines are those of its files."""
        body = self.bundles.get(name)
        if body is None:
            return Checked(
                None, [Problem(NAME, 1, None, f"bundle {name} is not in the topic, or not signed as it must be")]
            )
        if body.files:
            parts, problems = read_files({file: text.encode() for file, text in body.files.items()})
            if _says(parts, body.source):
                return finish(parts, problems)
        found = compile_source(body.source.encode())
        return Checked(found, []) if isinstance(found, Bundle) else Checked(None, found)


def _says(parts: Parts, source: str) -> bool:
    """Whether the files make this very source; others only serve to read."""
    if not parts.complete:
        return False
    try:
        return canonical(parts).decode() == source
    except (KeyError, TypeError, ValueError):  # their form is wrong: the source speaks for itself
        return False


def _body(signed: Signed, kind: type[_Body]) -> _Body | None:
    try:
        return msgspec.json.decode(signed.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
