"""Evidence to hand over: decisions with their proofs, in files that need nothing else to be checked.

Rules: the manifest names every file; a leaf is its bytes as stored; each leaf has one or more ``tlog-proof`` files, one
under the newest witnessed checkpoint and one under a checkpoint that an anchor holds, where there are such; bundles are
the canonical text of the rules and policy a leaf cites. Keys in it are claims: whoever checks brings keys from
elsewhere. Not here: archives (``stores``), gathering (``services``), the checks (``evidence_check``).
"""

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

MANIFEST = "evidence.json"
README = "README.txt"
VERSION = 1
MAX_ITEMS = 100_000

_FILE = re.compile(
    r"leaves/[0-9]{6}\.json|proofs/[0-9]{6}\.(witnessed|anchored|sealed)\.tlog-proof|anchors/[1-9][0-9]{0,17}\.(txt|tsr)"
    r"|bundles/[0-9a-f]{32}\.json|openings/[0-9]{6}\.json"
)


class EvidenceError(ValueError):
    """Files that are no evidence: malformed, incomplete, or with something beside it. The message names the file."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One decision.

    Attributes:
        log: origin of its log.
        index: of the leaf.
        position: source position, "<topic>/<partition>/<offset>/<index>".
        leaf: file with the leaf's bytes.
        proofs: files with ``tlog-proof`` texts.
        opening: file with what opens the event commitment (``opening``), "" without.
    """

    log: str
    index: int
    position: str
    leaf: str
    proofs: tuple[str, ...]
    opening: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``evidence.json``.

    Attributes:
        items: decisions.
        anchors: numbers of the anchors in it.
        bundles: hashes of the bundles in it.
        claimed_keys: vkeys that sealer and witnesses are said to have; not to be trusted for standing here.
        v: version of the format.
    """

    items: tuple[Item, ...]
    anchors: tuple[int, ...] = ()
    bundles: tuple[str, ...] = ()
    claimed_keys: tuple[str, ...] = ()
    v: int = VERSION


class Evidence(msgspec.Struct, frozen=True):
    """A manifest and the bytes of every file it names."""

    manifest: Manifest
    files: Mapping[str, bytes]


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Line(msgspec.Struct, frozen=True):
    """One check over everything in the evidence.

    Attributes:
        check: its name.
        state: how it ended.
        detail: what was found, in one sentence.
        failures: places that failed, the first of them.
    """

    check: str
    state: State
    detail: str
    failures: tuple[str, ...] = ()


def files_of(manifest: Manifest) -> set[str]:
    """Names of all files a manifest speaks of."""
    names = {name for item in manifest.items for name in (item.leaf, *item.proofs, *filter(None, [item.opening]))}
    names |= {f"anchors/{number}.{kind}" for number in manifest.anchors for kind in ("txt", "tsr")}
    return names | {f"bundles/{digest}.json" for digest in manifest.bundles}


def read_evidence(files: Mapping[str, bytes]) -> Evidence:
    """Evidence from its files.

    Raises:
        EvidenceError: the manifest is missing or unknown, or names and files are not the same.
    """
    try:
        manifest = msgspec.json.decode(files.get(MANIFEST, b""), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(f"{MANIFEST} is missing or cannot be read: {error}") from None
    if manifest.v != VERSION or not manifest.items or len(manifest.items) > MAX_ITEMS:
        raise EvidenceError(f"{MANIFEST} is of an unknown version, or without decisions")
    named = files_of(manifest)
    odd = sorted(name for name in named if not _FILE.fullmatch(name))
    missing = sorted(named - files.keys())
    extra = sorted(files.keys() - named - {MANIFEST, README})
    for names, what in ((odd, "is no name of such a file"), (missing, "is missing"), (extra, "is not in the manifest")):
        if names:
            raise EvidenceError(f"{names[0]!r} {what}")
    if any(not item.proofs for item in manifest.items):
        raise EvidenceError("a decision without a proof")
    return Evidence(manifest, {name: files[name] for name in named})
