"""Trust policies: which sets of witnesses are enough, and what is refused with its line."""

from __future__ import annotations

import itertools

import pytest

from tamis.domain.audit.cosignature import Cosigner
from tamis.domain.audit.note import NoteSigner
from tamis.domain.audit.policy import PolicyError, PolicyWitness, parse_policy, threshold
from tests.support.sealed import private_key

KEYS = [Cosigner(f"witness.example/w{n}", private_key(f"w{n}")).vkey for n in range(5)]
LOG = NoteSigner("example.org", private_key("log")).vkey
TWO_LEVELS = f"""
# two organisations
log {LOG} https://log.example
witness x1 {KEYS[0]} https://w0.example/
witness\tx2 {KEYS[1]}
  witness x3 {KEYS[2]}
group x 2 x1 x2 x3
witness y1 {KEYS[3]}
witness y2 {KEYS[4]}
group y any y1 y2
group both all x y
quorum both
"""


def test_two_levels_of_groups() -> None:
    policy = parse_policy(TWO_LEVELS)
    assert policy.logs == (LOG,)
    assert policy.witnesses[0].url == "https://w0.example/"
    for chosen in itertools.product((False, True), repeat=5):
        cosigners = {key for key, yes in zip(KEYS, chosen, strict=True) if yes}
        enough = sum(chosen[:3]) >= 2 and any(chosen[3:])
        assert policy.satisfied_by(cosigners) == enough


def test_none_asks_for_nobody_and_a_witness_for_itself() -> None:
    assert parse_policy("quorum none").satisfied_by(())
    alone = parse_policy(f"witness w {KEYS[0]}\nquorum w\n")
    assert not alone.satisfied_by([KEYS[1]])
    assert alone.satisfied_by([KEYS[0]])


def test_a_threshold_without_a_file() -> None:
    witnesses = [PolicyWitness(key.name, key) for key in KEYS[:3]]
    assert threshold(witnesses, 2).satisfied_by(KEYS[:2])
    assert not threshold(witnesses, 2).satisfied_by(KEYS[:1])
    assert threshold(witnesses, 0).satisfied_by(())
    with pytest.raises(PolicyError):
        threshold(witnesses, 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no quorum"),
        ("quorum w", "line 1: w is not defined"),
        ("quorum none\nquorum none", "line 2: a second quorum"),
        (f"witness w {LOG}\nquorum w", "line 1: .*kind"),
        (f"log {KEYS[0]}\nquorum none", "line 1: .*kind"),
        (f"witness none {KEYS[0]}\nquorum none", "line 1: none"),
        (f"witness w {KEYS[0]}\nwitness w {KEYS[1]}\nquorum w", "line 2: w cannot"),
        (f"witness w {KEYS[0]}\nwitness v {KEYS[0]}\nquorum w", "line 2: another witness"),
        (f"log {LOG}\nlog {LOG.renamed('other')}\nquorum none", "line 2: another log"),
        (f"witness w {KEYS[0]}\ngroup g 2 w\nquorum g", "line 2: a group's number"),
        (f"witness w {KEYS[0]}\ngroup g 0 w\nquorum g", "line 2: a group's number"),
        (f"witness w {KEYS[0]}\ngroup g any w w\nquorum g", "line 2: w is not defined before, or a member twice"),
        ("group g any g\nquorum g", "line 1: g is not"),
        (f"witness w {KEYS[0]}x\nquorum w", "line 1: "),
        ("witness w\nquorum none", "line 1: too few"),
        ("quorum none extra", "line 1: too few or too many"),
        ("oracle x\nquorum none", "line 1: it begins"),
        ("quorum\x0bnone", "line 1: a control character"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        parse_policy(text)
