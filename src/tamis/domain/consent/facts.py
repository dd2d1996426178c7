"""What a consent decision was taken on, as it stands in the leaf, and back again.

``facts``: role ("person", "device", "linked") -> "erased", "restricted" or regulation -> purpose -> what was said, at
the event and now (once when equal): ``[status, effective_at, expires_at, notice, moves]`` without what is not there
at its end; status is g(ranted), d(enied), w(ithdrawn), n(othing) or y (nothing yet). ``age``, ``bot`` and
``users`` where known. ``cut`` stands in place of facts that would not fit into a leaf, with their size in bytes;
nothing is allowed.
``inline``: regulation -> why everything is refused, or purpose -> reason; only purposes that were asked for; "-" when
the event says nothing. Rules: only ids of the policy, closed words and numbers, so nothing needs escaping; keys are
sorted; encoding and decoding give the same facts, so both judge alike.
"""

from collections.abc import Mapping
from typing import Any

from tamis.domain.consent.inline import SILENT, Finding
from tamis.domain.consent.judge import UNSPOKEN, Spoken
from tamis.domain.consent.model import Status
from tamis.domain.consent.regulation import Regulation
from tamis.domain.consent.verdict import NO_NOTICE, NONE, NOT_YET, Said
from tamis.domain.outcome import Reason

NO_SIGNAL = '"-"'
CUT = "cut"
_LETTERS = {
    Status.GRANTED.value: "g", Status.DENIED.value: "d", Status.WITHDRAWN.value: "w", NONE: "n", NOT_YET: "y",
}  # fmt: skip
_DEFAULTS: tuple[Any, ...] = (0, None, NO_NOTICE, 0)
_STATUSES = {letter: status for status, letter in _LETTERS.items()}

Scopes = Mapping[tuple[str, str], Spoken]
"""(regulation, purpose) -> what an identity says."""


def encode_spoken(spoken: Spoken) -> str:
    """``[then]`` or ``[then,now]``."""
    then = _said(spoken.then)
    return f"[{then}]" if spoken.then is spoken.now or spoken.then == spoken.now else f"[{then},{_said(spoken.now)}]"


def _said(said: Said) -> str:
    letter = _LETTERS[said.status]
    if said.status in (NONE, NOT_YET):
        return f'["{letter}"]'
    if said.expires_at is None and said.notice == NO_NOTICE and not said.moves:
        return f'["{letter}",{said.effective_at}]'
    rest: list[int | None] = [said.effective_at, said.expires_at, said.notice, int(said.moves)]
    for missing in (0, NO_NOTICE, None):
        if rest[-1] != missing:
            break
        rest.pop()
    return f'["{letter}",' + ",".join("null" if value is None else str(value) for value in rest) + "]"


def decode_spoken(raw: Any) -> Spoken:
    """The inverse of ``encode_spoken``.

    Raises:
        ValueError: it is not of that form.
    """
    said = [_decode_said(item) for item in raw]
    if not 1 <= len(said) <= 2:  # noqa: PLR2004 - then and now
        raise ValueError("facts state one or two times")
    return Spoken(said[0], said[-1])


def _decode_said(raw: Any) -> Said:
    letter, rest = raw[0], list(raw[1:])
    status = _STATUSES.get(letter)
    if status is None:
        raise ValueError(f"unknown status {letter!r}")
    stated: tuple[Any, ...] = (*rest, *_DEFAULTS[len(rest) :])
    effective_at, expires_at, notice, moves = stated
    return Said(status, effective_at, expires_at, notice, bool(moves))


def encode_scopes(scopes: Scopes) -> str:
    """Regulation -> purpose -> what was said."""
    by_regulation: dict[str, list[str]] = {}
    for (regulation, purpose), spoken in sorted(scopes.items()):
        by_regulation.setdefault(regulation, []).append(f'"{purpose}":{encode_spoken(spoken)}')
    return "{" + ",".join(f'"{name}":{{{",".join(said)}}}' for name, said in by_regulation.items()) + "}"


def decode_scopes(raw: Mapping[str, Any]) -> Scopes:
    """The inverse of ``encode_scopes``."""
    return {(name, purpose): decode_spoken(said) for name, rest in raw.items() for purpose, said in rest.items()}


def encode_inline(regulations: tuple[Regulation, ...], findings: tuple[Finding, ...], purposes: frozenset[str]) -> str:
    """What the signals of the event say about ``purposes``."""
    texts = []
    for regulation, finding in zip(regulations, findings, strict=True):
        if finding.everything is not None:
            texts.append(f'"{regulation.id}":"{finding.everything.value}"')
            continue
        said = {purpose: reason for purpose, reason in finding.refused.items() if purpose in purposes}
        if regulation.sole_source:
            said |= dict.fromkeys(finding.granted & purposes, Reason.INLINE_GRANTED)
        if said:
            pairs = ",".join(f'"{purpose}":"{reason.value}"' for purpose, reason in sorted(said.items()))
            texts.append(f'"{regulation.id}":{{{pairs}}}')
    return "{" + ",".join(texts) + "}" if texts else NO_SIGNAL


def decode_inline(raw: Any, regulation: str) -> Finding:
    """What the event says under ``regulation``; the inverse of ``encode_inline``."""
    found = raw.get(regulation) if isinstance(raw, dict) else None
    if found is None:
        return SILENT
    if isinstance(found, str):
        return Finding(everything=Reason(found))
    said = {purpose: Reason(word) for purpose, word in found.items()}
    yes = frozenset(purpose for purpose, reason in said.items() if reason is Reason.INLINE_GRANTED)
    return Finding(refused={p: reason for p, reason in said.items() if p not in yes}, granted=yes)


def spoken_of(scopes: Scopes, regulation: str, purpose: str) -> Spoken:
    """What was said about one purpose; nothing when it is not there."""
    return scopes.get((regulation, purpose), UNSPOKEN)
