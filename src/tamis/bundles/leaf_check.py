"""Whether the audit leaf of every route fits: a leaf states all facts of its decision in at most 4 KiB.

Rules: the longest leaf a route can give is reckoned from the ids in the configuration, with every regulation applying,
every identity having spoken twice and every signal saying no; a route that could exceed the limit is an error where its
rule or, for events without a rule, its destinations stand. What is written never depends on this reckoning: a decision
whose facts would not fit all the same lets nothing out (``decide``).
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.domain.audit.leaf import FRAME_BYTES, MAX_LEAF_BYTES

_SPOKEN = 2 * 47  # a statement with all its parts, at the event and now
_LINKED = 2 * 22
_REASON = 24  # the longest reason, quoted, with its comma
_MARKS = 6  # quotes, colon, braces around an id


def check_leaves(rules: list[Place], destinations: list[Place], policy: Place) -> Iterator[Problem]:
    """All routes whose leaves could be too long."""
    laws = [name for name, _ in policy.at("regulations").members()] or [policy.text("regulation")]
    to_all = [destination for destination in destinations if destination.text("accepts") == "all"]
    for rule in rules:
        named = {name for name, _ in rule.at("destinations").texts()}
        open_ = [each for each in destinations if each.text("accepts") == "all" or each.text("id") in named]
        extra = {purpose for purpose, _ in rule.at("purposes").texts()}
        if problem := _too_long(_size(open_, extra, laws)):
            yield rule.at("id").error(f"the audit entry of this rule {problem}")
    if to_all and (problem := _too_long(_size(to_all, set(), laws))):
        yield to_all[0].at("id").error(f"the audit entry of events without a rule {problem}")


def _too_long(size: int) -> str:
    if size <= MAX_LEAF_BYTES:
        return ""
    return f"could have {size} bytes, more than {MAX_LEAF_BYTES}: name fewer destinations, purposes or regulations"


def _size(destinations: list[Place], extra: set[str], laws: list[str]) -> int:
    purposes = extra.union(*({name for name, _ in d.at("purposes").texts()} for d in destinations))
    ids = sum(len(purpose) + _MARKS for purpose in purposes)
    facts = 3 * ids + len(purposes) * (2 * _SPOKEN + _LINKED)
    per_law = facts + ids + len(purposes) * _REASON
    verdicts = sum(len(d.text("id")) + _MARKS + _REASON for d in destinations)
    return FRAME_BYTES + verdicts + sum(per_law + 4 * (len(law) + _MARKS) + len(law) for law in laws)
