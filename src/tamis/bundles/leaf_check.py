"""Whether the audit leaf of every route fits: a leaf states all facts of its decision in at most 4 KiB.

Rules: the longest leaf a route can give is reckoned from the ids in the configuration, with every regulation applying,
every identity having spoken twice and every signal saying no; a route that could exceed the limit is an error where its
rule or, for events without a rule, its destinations stand.
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem
from tamis.domain.audit.leaf import MAX_LEAF_BYTES

_FRAME = 620  # all that does not depend on the configuration, with the longest numbers
_SPOKEN = 2 * 47  # a statement with all its parts, at the event and now
_LINKED = 2 * 22
_REASON = 24  # the longest reason, quoted, with its comma
_MARKS = 6  # quotes, colon, braces around an id


def check_leaves(rules: list[Place], destinations: list[Place], policy: Place) -> Iterator[Problem]:
    """All routes whose leaves could be too long."""
    laws = [name for name, _ in policy.at("regulations").members()] or [policy.text("regulation")]
    for rule in rules:
        named = {name for name, _ in rule.at("destinations").texts()}
        open_ = [d for d in destinations if d.text("accepts") == "all" or d.text("id") in named]
        size = _FRAME + len(rule.text("id")) + _size(open_, rule, laws)
        if size > MAX_LEAF_BYTES:
            yield rule.at("id").error(
                f"the audit entry of this rule could have {size} bytes, more than {MAX_LEAF_BYTES}: "
                "name fewer destinations, purposes or regulations"
            )


def _size(destinations: list[Place], rule: Place, laws: list[str]) -> int:
    extra = {purpose for purpose, _ in rule.at("purposes").texts()}
    purposes = extra.union(*({name for name, _ in d.at("purposes").texts()} for d in destinations))
    ids = sum(len(purpose) + _MARKS for purpose in purposes)
    facts = 3 * ids + len(purposes) * (2 * _SPOKEN + _LINKED)
    per_law = facts + ids + len(purposes) * _REASON
    verdicts = sum(len(d.text("id")) + _MARKS + _REASON for d in destinations)
    return verdicts + sum(per_law + 4 * (len(law) + _MARKS) + len(law) for law in laws)
