"""The consent policy: what its shape alone does not show.

Rules: a vendor's word means one purpose only; the id of a purpose is not a word for another one.
"""

from collections.abc import Iterator

from tamis.bundles.document import Place
from tamis.bundles.problem import Problem


def check_policy(policy: Place) -> Iterator[Problem]:
    """All faults of the policy."""
    meaning = {purpose: purpose for purpose, _ in policy.at("purposes").members()}
    for purpose, place in policy.at("purposes").members():
        for alias, at in place.at("aliases").texts():
            if meaning.setdefault(alias, purpose) != purpose:
                yield at.error(f'"{alias}" already stands for the purpose "{meaning[alias]}"')
