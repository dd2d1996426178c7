"""What statements are worth: the reason for one purpose under one regulation, from facts alone.

Rules, the strongest wins and every no denies: erasure and restriction; a known child; withdrawal and denial; an opt-
out by GPC, US Privacy or GPP; a no inside the event; a grant that has expired or was given to an older notice; then a
yes; then silence, which is no (opt-in) or yes (opt-out). Consent must hold at the time of the event and now (per
destination: both or one). The device of a person's event can only narrow, but a grant made on it while logged in
fills the person's silence. A refusal by an identity that is linked and not named in the event counts unless the
subject granted later. With more persons on a device than the policy says nothing moves. Where the event is the only
source, only its yes is one. The same function judges an event and a leaf, so a leaf re-evaluates to the same verdict.
"""

import msgspec

from tamis.domain.bundle import Policy
from tamis.domain.consent.inline import Finding
from tamis.domain.consent.model import Status
from tamis.domain.consent.regulation import Regulation
from tamis.domain.consent.verdict import ERASED, NONE, NOT_YET, NOTHING, RESTRICTED, Said
from tamis.domain.outcome import Reason

# Strongest first: the reason of a destination or event is its strongest one. Behind UNPLANNED: no denials.
ORDER = (
    Reason.UNRECORDABLE,
    Reason.ERASED, Reason.RESTRICTED, Reason.NO_SUBJECT, Reason.INLINE_MALFORMED, Reason.INLINE_UNSUPPORTED,
    Reason.CHILD, Reason.WITHDRAWN, Reason.DENIED, Reason.OPTED_OUT, Reason.INLINE_DENIED, Reason.AGE_UNKNOWN,
    Reason.EXPIRED, Reason.OLD_NOTICE, Reason.NOT_YET, Reason.INLINE_SILENT, Reason.UNKNOWN_PURPOSE,
    Reason.UNKNOWN_REGULATION, Reason.LATE, Reason.BOT, Reason.DUPLICATE, Reason.CONFLICT, Reason.UNDECIDED,
    Reason.UNREADABLE, Reason.UNPLANNED, Reason.NOT_ROUTED, Reason.NO_RECORD, Reason.NO_CHOICE, Reason.NOT_OPTED_OUT,
    Reason.INLINE_GRANTED, Reason.GRANTED,
)  # fmt: skip
STRENGTH = {reason: rank for rank, reason in enumerate(ORDER)}
ALLOWED = frozenset((Reason.GRANTED, Reason.NOT_OPTED_OUT, Reason.INLINE_GRANTED))
OPEN = frozenset((Reason.NO_RECORD, Reason.NO_CHOICE))
_SILENCE = frozenset((Reason.NO_CHOICE, Reason.NOT_YET))
_NO_YES = frozenset((Reason.NO_CHOICE, Reason.NOT_YET, Reason.EXPIRED, Reason.OLD_NOTICE))
_GRANTED = Status.GRANTED.value  # reading a member's value is slow
_STATES = {ERASED: Reason.ERASED, RESTRICTED: Reason.RESTRICTED}
_WORDS = {
    Status.DENIED.value: Reason.DENIED, Status.WITHDRAWN.value: Reason.WITHDRAWN,
    NONE: Reason.NO_CHOICE, NOT_YET: Reason.NOT_YET,
}  # fmt: skip


class Spoken(msgspec.Struct, frozen=True, gc=False):
    """What an identity says about a purpose: at the time of the event, and now."""

    then: Said
    now: Said


UNSPOKEN = Spoken(NOTHING, NOTHING)


class Voices(msgspec.Struct, frozen=True):
    """Everything that is known of a subject about one purpose under one regulation.

    Attributes:
        primary: the subject; None without a record.
        device: the device of a person's event; None without a record.
        linked: the newest refusals of identities linked and not named; ``UNSPOKEN`` without one.
        users: persons known on the device of the event.
    """

    primary: Spoken | None
    device: Spoken | None
    linked: Spoken
    users: int


def strongest(reasons: list[Reason]) -> Reason:
    """The reason that decides."""
    return reasons[0] if len(reasons) == 1 else min(reasons, key=STRENGTH.__getitem__)


def best(reasons: list[Reason]) -> Reason:
    """Of reasons that all allow, the best ground."""
    return reasons[0] if len(reasons) == 1 else max(reasons, key=STRENGTH.__getitem__)


def state_reason(state: str) -> Reason | None:
    """Why a record in ``state`` allows nothing, None when its statements count."""
    return _STATES.get(state)


def ends_at(said: Said, purpose: str, policy: Policy) -> int | None:
    """When a grant ends, ms; None for never. The earlier of its own end and the purpose's life time."""
    life = policy.max_age_ms.get(purpose)
    ends = None if life is None else said.effective_at + life
    if said.expires_at is None or ends is None:
        return said.expires_at if ends is None else ends
    return min(said.expires_at, ends)


def judge(
    voices: Voices, finding: Finding, purpose: str, regulation: Regulation, policy: Policy, valid_at: str, at: int,
    now: int,
) -> Reason:  # fmt: skip
    """The reason for one purpose under one regulation.

    Args:
        voices: what is known of the subject.
        finding: what the event itself says.
        purpose: canonical id, known to the policy.
        regulation: judged under.
        policy: life times, notices, moving of grants.
        valid_at: "both", "event" or "now"; anything else is judged as "both".
        at: event time, ms.
        now: time of the decision, ms.
    """
    if valid_at == "event":
        stored = _default(_at(voices, purpose, policy, at, then=True), regulation)
    elif valid_at == "now":
        stored = _default(_at(voices, purpose, policy, now, then=False), regulation)
    elif _steady(voices):  # the same was said at both times: the later one decides, since a yes only ends
        stored = _default(_at(voices, purpose, policy, max(at, now), then=False), regulation)
    else:
        both = _at(voices, purpose, policy, at, then=True), _at(voices, purpose, policy, now, then=False)
        stored = strongest([_default(reason, regulation) for reason in both])
    refused = finding.refusal(purpose)
    if refused is not None:
        return strongest([stored, refused])
    if regulation.sole_source and (stored in ALLOWED or stored in _NO_YES):
        stored = Reason.INLINE_GRANTED if purpose in finding.granted else Reason.INLINE_SILENT
    return Reason.NO_RECORD if voices.primary is None and stored in ALLOWED else stored


def _steady(voices: Voices) -> bool:
    """Whether everybody said the same at the time of the event and now."""
    primary, device, linked = voices.primary, voices.device, voices.linked
    return (
        (primary is None or primary.then is primary.now)
        and (device is None or device.then is device.now)
        and linked.then is linked.now
    )


def _default(reason: Reason, regulation: Regulation) -> Reason:
    return Reason.NOT_OPTED_OUT if regulation.silence and reason in _NO_YES else reason


def _at(voices: Voices, purpose: str, policy: Policy, time: int, *, then: bool) -> Reason:
    """The stored reason at one time."""
    if voices.primary is None:
        own, granted_at = Reason.NO_RECORD, -1
    else:
        own_said = voices.primary.then if then else voices.primary.now
        own = _worth(own_said, purpose, policy, time)
        granted_at = own_said.effective_at if own is Reason.GRANTED else -1
    reasons = [own]
    crowded = voices.users > policy.max_users
    if voices.device is not None:
        said = voices.device.then if then else voices.device.now
        other = _worth(said, purpose, policy, time)
        if other not in _SILENCE:
            reasons.append(other)
        if own in _SILENCE and other is Reason.GRANTED and said.moves and policy.grants_move and not crowded:
            reasons[0] = Reason.GRANTED
    linked = voices.linked.then if then else voices.linked.now
    if linked.status in _WORDS and linked.status not in (NONE, NOT_YET) and linked.effective_at >= granted_at:
        reasons.append(_WORDS[linked.status])
    return strongest(reasons)


def _worth(said: Said, purpose: str, policy: Policy, time: int) -> Reason:
    word = _WORDS.get(said.status)
    if word is not None:
        return word
    if said.status != _GRANTED:
        return Reason.DENIED
    ends = ends_at(said, purpose, policy)
    if ends is not None and time >= ends:
        return Reason.EXPIRED
    needed = policy.notices.get(purpose)
    return Reason.GRANTED if needed is None or said.notice >= needed else Reason.OLD_NOTICE
