"""What visitors say about consent, as records of ``consent.raw``.

Rules: the shop's consent tool speaks through Segment's consent event, the law firm's in the canonical form
(docs/consent-canonical-form.md); whoever is signed in says it for person and device; taking back a yes is "withdrawn".
"""

import orjson

from tamis.demo.traffic.bodies import RUDDERSTACK_WORDS, SEGMENT, Visit, rfc3339, segment_consent
from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.visitors import Choice


def statement(dice: Dice, visit: Visit, at_ms: int, choice: Choice, before: Choice | None) -> bytes:
    """One statement.

    Args:
        dice: for the message id.
        visit: site and visitor.
        at_ms: when the visitor chose.
        choice: what they chose.
        before: what held until then, None for the first answer.
    """
    if visit.site.vendor == SEGMENT:
        return segment_consent(dice, visit, at_ms, choice)
    words = {
        RUDDERSTACK_WORDS[purpose]: "granted" if yes else "withdrawn" if (before or {}).get(purpose) else "denied"
        for purpose, yes in choice.items()
    }
    identity = {"device": visit.visitor.device, "person": visit.visitor.person}
    return orjson.dumps(
        {
            "type": "consent",
            "identity": {kind: name for kind, name in identity.items() if name},
            "choices": words,
            "effective_at": rfc3339(at_ms),
            "source": "preference-center" if before is not None else "banner",
            "notice": "2026-09",
            "authenticated": visit.visitor.person is not None,
        }
    )
