"""From statements to canonical changes: categories become purposes, identities become subject keys.

Rules: one change per identity stated, as the source stated it: a grant for person and device is recorded for both, a
refusal too. Unknown categories are ignored and counted; of a statement under an unknown regulation only the refusals
count, under every regulation (``domain.consent.regulation_names``); when several categories mean one purpose the
strictest choice holds; a complete statement refuses the purposes of the vendor categories it leaves out. A choice
cannot take effect after it was received; a grant without a date is ignored (delivered again it would overtake a
withdrawal), a refusal without one holds from receipt. Pure.
"""

from collections import Counter
from collections.abc import Iterator

from tamis.consent_sources.statement import Statement
from tamis.domain.bundle import Policy
from tamis.domain.consent.model import ConsentChange, Status, keep_stricter
from tamis.domain.consent.regulation_names import Filed, RegulationNames
from tamis.domain.identity import SubjectKeys

NO_SUBJECT = "no_subject"
UNKNOWN_CATEGORY = "unknown_category"
UNKNOWN_REGULATION = "unknown_regulation"
UNDATED_GRANT = "undated_grant"
IGNORED = (NO_SUBJECT, UNKNOWN_CATEGORY, UNKNOWN_REGULATION, UNDATED_GRANT)


class Keying:
    """Makes changes under one policy and one key.

    Args:
        policy: aliases and the default regulation.
        keys: subject keys.
    """

    __slots__ = ("_aliases", "_keys", "_regulation", "_regulations", "_vendor_purposes")

    def __init__(self, policy: Policy, keys: SubjectKeys) -> None:
        self._aliases = policy.aliases
        self._regulation = policy.regulation
        self._regulations = RegulationNames(policy.judged())
        self._keys = keys
        self._vendor_purposes = tuple(
            dict.fromkeys(purpose for category, purpose in policy.aliases.items() if category not in policy.purposes)
        )

    def changes(self, said: Statement, recorded_at: int, ignored: Counter[str]) -> Iterator[ConsentChange]:
        """The changes of one statement, one per identity.

        Args:
            said: what was stated.
            recorded_at: when it was received, ms.
            ignored: counts by cause, added to.
        """
        filed = self._regulations.file(said.regulation or self._regulation)
        if not filed.known:
            ignored[UNKNOWN_REGULATION] += 1
        subjects = tuple(self._subjects(said))
        if not subjects:
            ignored[NO_SUBJECT] += 1
            return
        choices = self._choices(said, ignored)
        if not choices:
            return
        effective_at = recorded_at if said.effective_at is None else min(said.effective_at, recorded_at)
        for regulation, of_it in _by_regulation(filed, choices):
            yield from self._of(said, subjects, regulation, of_it, effective_at, recorded_at)

    def _of(
        self,
        said: Statement,
        subjects: tuple[tuple[str, str], ...],
        regulation: str,
        choices: dict[str, Status],
        effective_at: int,
        recorded_at: int,
    ) -> Iterator[ConsentChange]:
        for number, (identity, subject) in enumerate(subjects):
            yield ConsentChange(
                subject=subject, identity=identity, regulation=regulation, choices=choices, effective_at=effective_at,
                recorded_at=recorded_at, source=said.source, seq=said.seq, expires_at=said.expires_at,
                notice=said.notice, authenticated=said.authenticated,
                other=subjects[1 - number][1] if len(subjects) > 1 else "",
            )  # fmt: skip

    def _subjects(self, said: Statement) -> Iterator[tuple[str, str]]:
        if said.person is not None:
            yield "person", self._keys.person(said.person)
        if said.device is not None:
            yield "device", self._keys.device(said.device)

    def _choices(self, said: Statement, ignored: Counter[str]) -> dict[str, Status]:
        choices = dict.fromkeys(self._vendor_purposes, Status.DENIED) if said.complete else {}
        stated: dict[str, Status] = {}
        for category, status in (*said.choices.items(), *said.of_strings.items()):
            purpose = self._aliases.get(category) or self._aliases.get(said.titles.get(category, category))
            if purpose is None:
                ignored[UNKNOWN_CATEGORY] += 1
                continue
            choices.pop(purpose, None)
            if status is Status.GRANTED and said.effective_at is None:
                ignored[UNDATED_GRANT] += 1
            else:
                keep_stricter(stated, purpose, status)
        return choices | stated


def _by_regulation(filed: Filed, choices: dict[str, Status]) -> Iterator[tuple[str, dict[str, Status]]]:
    """Each regulation with what is filed under it."""
    refusals: dict[str, Status] = {
        purpose: status for purpose, status in choices.items() if status is not Status.GRANTED
    }
    for regulation in filed.refusals:
        found = choices if regulation in filed.grants else refusals
        if found:
            yield regulation, found
