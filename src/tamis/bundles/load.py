"""A configuration folder, or a published source, to a ``Bundle``: valid as a whole or refused as a whole.

Rules: all problems are reported at once; warnings refuse nothing; a folder and its canonical source give the same
bundle under the same hash.
"""

import json
from pathlib import Path

import msgspec

from tamis.bundles.compile import compile_destination, compile_rule, keyed_by_subject
from tamis.bundles.destination_check import check_destinations
from tamis.bundles.document import Document, Place, top
from tamis.bundles.folder import Parts, read_folder
from tamis.bundles.hold_check import check_hold
from tamis.bundles.leaf_check import check_leaves
from tamis.bundles.lint import lint
from tamis.bundles.lint_shared import lint_shared
from tamis.bundles.policy_check import check_policy
from tamis.bundles.policy_compile import compile_policy
from tamis.bundles.problem import Problem, errors
from tamis.bundles.rule_check import check_rules
from tamis.bundles.session_check import check_sessions
from tamis.bundles.source import bundle_hash, canonical, read_source
from tamis.domain.bundle import Bundle
from tamis.domain.rules import RuleSet


class Checked(msgspec.Struct, frozen=True):
    """What a check found.

    Attributes:
        bundle: None when there is any error.
        problems: errors and warnings, by file and line.
    """

    bundle: Bundle | None
    problems: list[Problem]


def load_bundle(folder: Path) -> Bundle | list[Problem]:
    """The bundle of a folder, or all its errors."""
    checked = check_folder(folder)
    return checked.bundle if checked.bundle is not None else errors(checked.problems)


def check_folder(folder: Path) -> Checked:
    """As ``load_bundle``, with warnings."""
    parts, problems = read_folder(folder)
    return finish(parts, problems)


def compile_source(source: bytes) -> Bundle | list[Problem]:
    """The bundle of a canonical source (``Bundle.source``), or all its errors."""
    parts, problems = read_source(source)
    checked = finish(parts, problems)
    return checked.bundle if checked.bundle is not None else errors(checked.problems)


def finish(parts: Parts, problems: list[Problem]) -> Checked:
    """The bundle of parts whose form has been checked with these problems."""
    found = problems + _meaning(parts)
    bundle = None if errors(found) else _compile(parts)
    return Checked(bundle, sorted(set(found), key=_order))


def _order(problem: Problem) -> tuple[str, int, int, str]:
    return problem.file, problem.line, problem.column or 0, problem.message


def _items(document: Document | None, key: str) -> list[Place]:
    return list(top(document).at(key).elements()) if document is not None else []


def _meaning(parts: Parts) -> list[Problem]:
    rules = [rule for document in parts.rules for rule in _items(document, "rules")]
    destinations = _items(parts.destinations, "destinations")
    policy = top(parts.policy) if parts.policy is not None else None
    purposes = {name for name, _ in policy.at("purposes").members()} if policy is not None else None
    ids = {item.text("id") for item in destinations} - {""} if parts.destinations is not None else None
    found = list(check_rules(rules, ids, purposes))
    found += check_destinations(destinations, purposes)
    if policy is not None:
        found += [*check_policy(policy), *check_hold(policy, destinations), *check_leaves(rules, destinations, policy)]
    found += check_sessions(rules, destinations, policy)
    return [*found, *lint(rules, destinations), *lint_shared(rules, destinations, policy)]


def _compile(parts: Parts) -> Bundle:
    """Everything is compiled from the canonical source, so that it alone makes the bundle."""
    source = canonical(parts)
    whole = json.loads(source)
    return Bundle(
        hash=bundle_hash(source),
        rules=RuleSet(tuple(map(compile_rule, whole["rules"]))),
        destinations=tuple(map(compile_destination, whole["destinations"])),
        policy=compile_policy(whole["policy"], keyed_by_subject(whole["policy"])),
        source=source,
    )
