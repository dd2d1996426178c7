"""Checks evidence, one line a check: whoever checks brings the keys, everything else is in the evidence.

Rules: without a key for the log nothing is verified, whatever the rest says; witnesses and timestamps are checked as
far as keys and certificates are brought; the verdict is re-evaluated from the facts in each leaf under the cited rules.
Each check looks at every decision and names the first places that fail. Pure: bytes and keys in, lines out.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.x509 import Certificate

from tamis.domain.audit.anchor import AnchorError, parse_anchor
from tamis.domain.audit.checkpoint import parse_checkpoint
from tamis.domain.audit.cosignature import cosigned_by
from tamis.domain.audit.evidence import Evidence, Item, Line, State
from tamis.domain.audit.merkle import leaf_hash
from tamis.domain.audit.note import NoteError, VerifierKey, parse_note
from tamis.domain.audit.opening import decode_opening
from tamis.domain.audit.origin import parse_origin
from tamis.domain.audit.policy import WitnessPolicy
from tamis.domain.audit.proof import inclusion_holds
from tamis.domain.audit.timestamp import TimestampError, ahead_of, stamped_at
from tamis.domain.audit.tlog_proof import TlogProof, parse_tlog_proof
from tamis.domain.audit.trust import log_keys

_SHOWN = 10
HASH_CHARS = 32
"""Of SHA-256, hexadecimal: so many that nobody can prepare two bundles of one hash and show the other one later."""

Agrees = Callable[[Mapping[str, Any], bytes], bool | None]
"""(leaf, canonical bundle text) -> whether the facts give the verdict stated; None when the event was never judged.
Raises ValueError where it cannot be said."""


class _Citing(msgspec.Struct):
    bundle: str | None = None


_decode_citing = msgspec.json.Decoder(_Citing).decode


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who checks brings along.

    Attributes:
        keys: of logs; none: nothing is verified.
        witnesses: policy of witnesses, None to leave them out.
        authorities: certificates of timestamp authorities; none: timestamps are left out.
        agrees: how verdicts are re-evaluated; None to leave them out.
        events: values of records that decisions are said to be about; none: openings are left out.
    """

    keys: tuple[VerifierKey, ...] = ()
    witnesses: WitnessPolicy | None = None
    authorities: tuple[Certificate, ...] = ()
    agrees: Agrees | None = None
    events: tuple[bytes, ...] = ()


def check(evidence: Evidence, trust: Trust) -> list[Line]:
    """All checks, in order."""
    return [
        run(evidence, trust)
        for run in (_inclusion, _signatures, _places, _witnesses, _timestamps, _rules, _verdicts, _openings)
    ]


def verified(lines: Iterable[Line]) -> bool:
    """Nothing failed, and what makes it evidence was checked."""
    states = {line.check: line.state for line in lines}
    return State.FAILED not in states.values() and states.get("signature") is State.OK


def cited_bundle(leaf: bytes) -> str | None:
    """Hash of the bundle a leaf cites; None for a leaf that stands for no decision.

    Raises:
        ValueError: it is no leaf.
    """
    try:
        return _decode_citing(leaf).bundle
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("not a leaf") from None


def _proofs(evidence: Evidence, item: Item) -> Iterator[TlogProof]:
    for name in item.proofs:
        yield parse_tlog_proof(evidence.files[name])


def _line(name: str, detail: str, failures: Sequence[str]) -> Line:
    if failures:
        more = f"{len(failures):,} of them fail" if len(failures) > 1 else "one fails"
        return Line(name, State.FAILED, f"{detail}: {more}", tuple(failures[:_SHOWN]))
    return Line(name, State.OK, detail)


def _each(evidence: Evidence, verify: Callable[[Item], object]) -> list[str]:
    """Failures of a check of single decisions."""
    failing = _failing(evidence.manifest.items, verify)
    return [f"{item.log} leaf {item.index} ({item.position}): {why}" for item, why in failing]


def _failing(items: Iterable[Item], verify: Callable[[Item], object]) -> Iterator[tuple[Item, str]]:
    for item in items:
        try:
            verify(item)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            yield item, str(error)


def _inclusion(evidence: Evidence, _: Trust) -> Line:
    def holds(item: Item) -> None:
        digest = leaf_hash(evidence.files[item.leaf])
        for proof in _proofs(evidence, item):
            checkpoint = parse_checkpoint(parse_note(proof.checkpoint).text)
            if (proof.index, checkpoint.origin) != (item.index, item.log):
                raise NoteError(f"a proof of leaf {proof.index} of {checkpoint.origin}")
            if not inclusion_holds(proof.hashes, proof.index, checkpoint.size, digest, checkpoint.root):
                raise NoteError("the proof does not lead from this leaf to the checkpoint's root")

    count = len(evidence.manifest.items)
    return _line("inclusion", f"{count:,} leaves are in the trees that the checkpoints state", _each(evidence, holds))


def _signatures(evidence: Evidence, trust: Trust) -> Line:
    if not trust.keys:
        return Line("signature", State.NOT_CHECKED, "no key of the log was given (--vkey), so this proves nothing yet")
    known: set[str] = set()

    def signed(item: Item) -> None:
        for proof in _proofs(evidence, item):
            if proof.checkpoint in known:
                continue
            keys = log_keys(trust.keys, item.log)
            if not keys:
                raise NoteError("none of the given keys speaks for this log")
            proof.verify(evidence.files[item.leaf], keys)
            known.add(proof.checkpoint)

    failures = _each(evidence, signed)
    names = ", ".join(f"{key.name}+{key.id.hex()}" for key in trust.keys)
    return _line("signature", f"{len(known):,} checkpoints are signed by {names}", failures)


def _places(evidence: Evidence, _: Trust) -> Line:
    def stands(item: Item) -> None:
        leaf = msgspec.json.decode(evidence.files[item.leaf])
        source = leaf["src"]
        if leaf["seq"] != item.index:
            raise ValueError(f"the leaf says it is leaf {leaf['seq']}")
        if source["p"] != parse_origin(item.log).partition:
            raise ValueError(f"the leaf is about partition {source['p']}")
        if item.position != f"{source['t']}/{source['p']}/{source['o']}/{source['i']}":
            raise ValueError("the manifest gives another source position than the leaf")

    return _line("place", "each leaf stands at its own index, in the log of its partition", _each(evidence, stands))


def _witnesses(evidence: Evidence, trust: Trust) -> Line:
    policy = trust.witnesses
    if policy is None:
        return Line("witnesses", State.NOT_CHECKED, "no witness keys were given (--witness-vkey or --policy)")
    known: dict[str, bool] = {}

    def witnessed(checkpoint: str) -> bool:
        if checkpoint not in known:
            known[checkpoint] = policy.satisfied_by(cosigned_by(parse_note(checkpoint), policy.keys))
        return known[checkpoint]

    def enough(item: Item) -> None:
        if not any(witnessed(proof.checkpoint) for proof in _proofs(evidence, item)):
            raise NoteError("no checkpoint of it has enough cosignatures")

    names = ", ".join(key.name for key in policy.keys) or "nobody"
    return _line(
        "witnesses", f"each leaf is under a checkpoint that enough of {names} cosigned", _each(evidence, enough)
    )


def _timestamps(evidence: Evidence, trust: Trust) -> Line:
    if not evidence.manifest.anchors:
        state = State.FAILED if trust.authorities else State.NOT_CHECKED
        return Line("timestamp", state, "there is no anchor in it")
    if not trust.authorities:
        return Line("timestamp", State.NOT_CHECKED, "no certificate of a timestamp authority was given (--tsa)")
    times: list[dt.datetime] = []
    notes: dict[str, dt.datetime] = {}
    failures = []
    for number in evidence.manifest.anchors:
        text, stamp = (evidence.files[f"anchors/{number}.{kind}"] for kind in ("txt", "tsr"))
        try:
            anchor = parse_anchor(text)
            times.append(stamped_at(stamp, text, trust.authorities))
            for note in anchor.notes:
                notes.setdefault(str(note), times[-1])
        except (AnchorError, TimestampError) as error:
            failures.append(f"anchor {number}: {error}")

    def anchored(item: Item) -> None:
        stamps = [notes[proof.checkpoint] for proof in _proofs(evidence, item) if proof.checkpoint in notes]
        if not stamps:
            raise AnchorError("no anchor holds a checkpoint of it")
        if ahead_of(evidence.files[item.leaf], min(stamps)):
            raise AnchorError("it says that it was received after its tree was stamped")

    failures += _each(evidence, anchored)
    span = f", between {min(times):%Y-%m-%d %H:%M:%S} and {max(times):%Y-%m-%d %H:%M:%S} UTC" if times else ""
    return _line("timestamp", f"each leaf existed when an authority stamped its tree{span}", failures)


def _rules(evidence: Evidence, _: Trust) -> Line:
    def cited(item: Item) -> None:
        digest = cited_bundle(evidence.files[item.leaf])
        if digest is not None and digest not in evidence.manifest.bundles:
            raise ValueError(f"bundle {digest}, which it cites, is not in the evidence")

    failures = [
        f"bundle {digest}: its text has another hash"
        for digest in evidence.manifest.bundles
        if sha256(evidence.files[f"bundles/{digest}.json"]).hexdigest()[:HASH_CHARS] != digest
    ]
    if not evidence.manifest.bundles:
        return Line("rules", State.NOT_CHECKED, "the rules the leaves cite are not in it")
    return _line("rules", "the rules in it are those whose hash each leaf cites", failures + _each(evidence, cited))


def _verdicts(evidence: Evidence, trust: Trust) -> Line:
    agrees = trust.agrees
    if agrees is None or not evidence.manifest.bundles:
        return Line("verdict", State.NOT_CHECKED, "verdicts need the rules that the leaves cite")
    judged = 0

    def same(item: Item) -> None:
        nonlocal judged
        leaf = msgspec.json.decode(evidence.files[item.leaf])
        if "bundle" not in leaf:
            return
        found = agrees(leaf, evidence.files[f"bundles/{leaf['bundle']}.json"])
        judged += found is not None
        if found is False:
            raise ValueError("its facts do not give the verdict it states")

    failures = _each(evidence, same)
    return _line("verdict", f"the facts in {judged:,} leaves give the verdicts they state", failures)


def _openings(evidence: Evidence, trust: Trust) -> Line:
    """Which decision is about which of the events that were brought along."""
    if not trust.events:
        return Line("event", State.NOT_CHECKED, "no event was given to compare with (--event)")
    opened = [item for item in evidence.manifest.items if item.opening]
    if not opened:
        return Line(
            "event", State.FAILED, "no decision in it can be opened: nobody was known, or the person was erased"
        )
    about: set[int] = set()

    def opens(item: Item) -> None:
        opening = decode_opening(evidence.files[item.opening])
        leaf = msgspec.json.decode(evidence.files[item.leaf])
        if (opening.cm, opening.index) != (leaf["cm"], leaf["src"]["i"]):
            raise ValueError("its opening is that of another leaf")
        found = {number for number, event in enumerate(trust.events) if opening.opens(event)}
        if not found:
            raise ValueError("it is about none of the events given")
        about.update(found)

    failures = [f"{item.position}: {why}" for item, why in _failing(opened, opens)]
    failures += [f"event {n + 1}: no decision is about it" for n in range(len(trust.events)) if n not in about]
    return _line("event", f"{len(opened):,} decisions are about the {len(trust.events):,} events given", failures)
