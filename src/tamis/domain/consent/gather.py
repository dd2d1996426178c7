"""Takes from a subject's records what a decision looks at, and for how long that stays so.

Rules: each (regulation, purpose) is asked for once; the span shrinks with every answer: between two statements and
the end of a grant nothing changes. Of linked identities only refusals are taken, the newest, counted from the later
of its statement and its receipt within the clock skew, and not what somebody else said on a shared device.
"""

from tamis.domain.bundle import Policy
from tamis.domain.consent.facts import encode_scopes
from tamis.domain.consent.judge import UNSPOKEN, Spoken, Voices, ends_at
from tamis.domain.consent.model import PurposeVersion, Status, SubjectRecord
from tamis.domain.consent.verdict import FOREVER, NOTHING, Said, Span, as_known, said_at, state_of
from tamis.domain.subject import Subject

_UNKNOWN_AGE = "unknown"
_GRANTED = Status.GRANTED.value  # reading a member's value is slow
LINKED = "linked"


class Gathered:
    """The facts of one decision.

    Attributes:
        since, until: event times, ms, for which the facts hold: ``since <= occurred_at < until``.
        now_since, now_until: the same for now.
    """

    __slots__ = (
        "_at", "_now", "_policy", "_subject", "_voices", "now_since", "now_until", "scopes", "since", "until",
    )  # fmt: skip

    def __init__(self, subject: Subject, policy: Policy, at: int, now: int) -> None:
        self._subject = subject
        self._policy = policy
        self._at, self._now = at, now
        self.since, self.until = -FOREVER, FOREVER
        self.now_since, self.now_until = -FOREVER, FOREVER
        self.scopes: dict[str, dict[tuple[str, str], Spoken]] = {}
        self._voices: dict[tuple[str, str], Voices] = {}

    def voices(self, regulation: str, purpose: str) -> Voices:
        """What is known of the subject about one purpose under one regulation."""
        scope = regulation, purpose
        known = self._voices.get(scope)
        if known is None:
            subject = self._subject
            known = self._voices[scope] = Voices(
                primary=self._spoken(subject.primary, subject.roles[0], scope),
                device=self._spoken(subject.secondary, subject.roles[-1], scope),
                linked=self._linked(scope) if subject.linked else UNSPOKEN,
                users=subject.users,
            )
        return known

    def text(self, age: str, bot: str = "") -> str:
        """The facts for the leaf."""
        subject = self._subject
        parts = {role: encode_scopes(scopes) for role, scopes in self.scopes.items()}
        for role, record in zip(subject.roles, (subject.primary, subject.secondary), strict=False):
            state = state_of(record) if record is not None else ""
            if state:
                parts[role] = f'"{state}"'
        if age != _UNKNOWN_AGE:
            parts["age"] = f'"{age}"'
        if bot:
            parts["bot"] = f'"{bot}"'
        if subject.users:
            parts["users"] = str(subject.users)
        return "{" + ",".join(f'"{name}":{parts[name]}' for name in sorted(parts)) + "}"

    def _spoken(self, record: SubjectRecord | None, role: str, scope: tuple[str, str]) -> Spoken | None:
        if record is None:
            return None
        person = self._subject.key if self._subject.roles[0] == "person" else ""
        versions = record.purposes.get("/".join(scope), ())
        skew = self._policy.clock_skew_ms
        if not versions:
            return UNSPOKEN
        now = then, span = said_at(versions, self._at, skew, person)
        self._narrow(then, span, scope[1])
        if not span.since <= self._now < span.until:
            now = said_at(versions, self._now, skew, person)
        self._narrow_now(*now, scope[1])
        spoken = self.scopes.setdefault(role, {})[scope] = Spoken(then, as_known(versions, now[0], skew, person))
        return spoken

    def _linked(self, scope: tuple[str, str]) -> Spoken:
        then = self._newest_refusal(scope, self._at, now=False)
        now = self._newest_refusal(scope, self._now, now=True)
        if then is NOTHING and now is NOTHING:
            return UNSPOKEN
        spoken = self.scopes.setdefault(LINKED, {})[scope] = Spoken(then, now)
        return spoken

    def _newest_refusal(self, scope: tuple[str, str], time: int, *, now: bool) -> Said:
        newest = NOTHING
        for record in self._subject.linked:
            versions = tuple(filter(self._of_subject, record.purposes.get("/".join(scope), ())))
            said, span = said_at(versions, time, self._policy.clock_skew_ms)
            (self._narrow_now if now else self._narrow)(NOTHING, span, scope[1])
            if now:
                said = as_known(versions, said, self._policy.clock_skew_ms)
            if said.status in (Status.DENIED, Status.WITHDRAWN):
                known_from = max(_known_from(v, self._policy.clock_skew_ms) for v in versions if _is(v, said))
                if newest is NOTHING or known_from > newest.effective_at:
                    newest = Said(said.status, known_from)
        return newest

    def _of_subject(self, version: PurposeVersion) -> bool:
        return version.person in ("", self._subject.key)

    def _narrow(self, said: Said, span: Span, purpose: str) -> None:
        since, until = self._cut(said, span, purpose, self._at)
        self.since = max(self.since, since)
        self.until = min(self.until, until)

    def _narrow_now(self, said: Said, span: Span, purpose: str) -> None:
        since, until = self._cut(said, span, purpose, self._now)
        self.now_since = max(self.now_since, since)
        self.now_until = min(self.now_until, until)

    def _cut(self, said: Said, span: Span, purpose: str, time: int) -> tuple[int, int]:
        """The part of ``span`` on this side of the grant's end."""
        ends = ends_at(said, purpose, self._policy) if said.status == _GRANTED else None
        if ends is None:
            return span.since, span.until
        return (span.since, min(span.until, ends)) if time < ends else (max(span.since, ends), span.until)


def _is(version: PurposeVersion, said: Said) -> bool:
    return version.status.value == said.status and version.effective_at == said.effective_at


def _known_from(version: PurposeVersion, skew_ms: int) -> int:
    return max(version.effective_at, min(version.recorded_at, version.effective_at + skew_ms))
