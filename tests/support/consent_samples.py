"""Random consent strings of every format, valid ones, made with the test encoder; and the yeses a string gives.

Rules: the same random source gives the same strings. A legacy TC string (before disclosed vendors were mandatory) names
only disclosed vendors, because that one segment can be cut from it unseen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.domain.consent.strings.consent_mode import ConsentMode, Signal
from tamis.domain.consent.strings.flaw import Malformed, Unsupported
from tamis.domain.consent.strings.gpp import Body, GppString
from tamis.domain.consent.strings.tcf import TcString
from tamis.domain.consent.strings.tcf_judgement import (
    Vendor,
    judge_custom,
    judge_publisher,
    judge_special_feature,
    judge_vendor,
)
from tamis.domain.consent.strings.us import UsSection
from tamis.domain.consent.strings.us_signals import Choice, UsChoices, choices_of, choices_of_usp
from tests.support.consent_strings import NEW_DAY_S, OLD_DAY_S, Tc, gpc, gpp_string, number, tc_string, us_section

if TYPE_CHECKING:
    from random import Random

FIELDS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "consent_strings" / "us_fields.json").read_text()
)
PURPOSES = frozenset(range(1, 25))
VENDORS = (1, 2, 10, 28, 755, 1000, 65535)
DECLARED = tuple(
    declared
    for vendor in VENDORS
    for declared in (
        Vendor(vendor, PURPOSES),
        Vendor(vendor, PURPOSES, flexible=PURPOSES),
        Vendor(vendor, frozenset(), PURPOSES),
        Vendor(vendor, frozenset(), PURPOSES, PURPOSES),
    )
)

Yeses = set[tuple[object, ...]]


def some(random: Random, ids: range) -> frozenset[int]:
    return frozenset(id_ for id_ in ids if random.random() < 0.5)


def spans(random: Random, most: int = 6) -> tuple[tuple[int, int], ...]:
    """Ranges in ascending order; now and then around the vendors that are asked about."""
    starts = sorted(
        random.sample(range(1, 65536), random.randint(0, most)) + random.sample(VENDORS, random.randint(0, 4))
    )
    found, reached = [], 0
    for start in starts:
        if start > reached:
            reached = min(65535, start + random.choice((0, 0, 1, 40, 900)))
            found.append((start, reached))
    return tuple(found)


def tc_fields(random: Random) -> Tc:
    legacy = random.random() < 0.3
    everyone = ((1, 65535),)
    publisher = None
    if random.random() < 0.6:
        custom = random.randint(0, 9)
        own = range(1, custom + 1)
        bits = some(random, range(1, 25)), some(random, range(1, 25))
        publisher = (*bits, custom, some(random, own), some(random, own))
    limits = [(p, k) for p in (1, 2, 3, 7, 9) for k in (0, 1, 2)]
    return Tc(
        created_s=OLD_DAY_S if legacy else NEW_DAY_S,
        policy=random.choice((2, 3, 4, 5)),
        language=random.choice(("EN", "FR")),
        country=random.choice(("DE", "FR")),
        own_texts=random.random() < 0.5,
        service_specific=random.random() < 0.95,
        features=some(random, range(1, 13)),
        consents=some(random, range(1, 25)),
        interests=some(random, range(1, 25)),
        one_treatment=random.random() < 0.2,
        vendor_consents=spans(random),
        vendor_interests=spans(random),
        restrictions=tuple((*limit, spans(random, 2)) for limit in random.sample(limits, random.choice((0, 0, 2)))),
        disclosed=random.choice((None, everyone)) if legacy else random.choice((everyone, spans(random))),
        allowed=random.choice((None, None, spans(random))),
        publisher=publisher,
    )


def us_text(random: Random, row: dict[str, Any]) -> str:
    values = [
        random.randint(1, 2) if name == "MspaCoveredTransaction"
        else [random.randint(0, 2) for _ in range(count)] if count else random.randint(0, 2)
        for name, count in row["core"]
    ]  # fmt: skip
    more = []
    if row["segment"] == "gpc" and random.random() < 0.8:
        more = [gpc(random.random() < 0.5)]
    elif row["segment"] == "sensitive" and random.random() < 0.8:
        more = ["".join(number(random.randint(0, 2), 2) for _ in range(8))]
    version = random.choice((1, 2)) if row["version"] == 2 else row["version"]  # usnat 2 also under the number 1
    return us_section(version, values, *more, fill=random.choice((6, 8)))


def gpp_text(random: Random) -> str:
    chosen = {row["section"]: us_text(random, row) for row in random.sample(FIELDS, random.randint(0, 4))}
    if random.random() < 0.4:
        chosen[2] = tc_string(tc_fields(random))
    if random.random() < 0.3:
        chosen[6] = usp_text(random)
    if random.random() < 0.1:
        chosen[random.choice((5, 28, 300))] = "BAAA"
    return gpp_string(chosen)


def usp_text(random: Random) -> str:
    return "1" + "".join(random.choice("YN-") for _ in range(3))


def gcs_text(random: Random) -> str:
    return "G1" + "".join(random.choice("01-") for _ in range(2))


def gcd_text(random: Random) -> str:
    pairs = "".join(random.choice("lpqtrmnuvz") + random.choice("1357") for _ in range(random.choice((4, 4, 5))))
    return "1" + random.choice("13") + pairs


def any_text(random: Random) -> str:
    """A valid string of any format, the rich ones more often."""
    kinds = (usp_text, gcs_text, gcd_text, gpp_text, gpp_text, gpp_text)
    return tc_string(tc_fields(random)) if random.random() < 0.4 else random.choice(kinds)(random)


def yeses(found: object) -> Yeses:
    """Everything a decoded string permits, as a set: a string that permits less has a smaller one."""
    if isinstance(found, TcString):
        return _tcf(found)
    if isinstance(found, ConsentMode):
        return {("mode", at) for at, signal in enumerate(found.signals) if signal is Signal.GRANTED}
    if isinstance(found, GppString):
        return {(section, *yes) for section, body in found.sections.items() for yes in _body(body)}
    assert isinstance(found, Body)
    return _body(found)


def _body(body: Body) -> Yeses:
    if isinstance(body, Malformed | Unsupported):
        return set()
    if isinstance(body, TcString):
        return _tcf(body)
    return _us(choices_of(body) if isinstance(body, UsSection) else choices_of_usp(body))


def _us(choices: UsChoices) -> Yeses:
    kinds = ("sale", "share", "targeted_advertising", "sensitive", "known_child", "additional_processing")
    return {(kind,) for kind in kinds if getattr(choices, kind) is not Choice.REFUSED} | {
        ("category", at) for at, choice in enumerate(choices.sensitive_categories) if choice is not Choice.REFUSED
    }


def _tcf(tc: TcString) -> Yeses:
    found: Yeses = {
        ("vendor", at, purpose) for at, declared in enumerate(DECLARED) for purpose in PURPOSES
        if judge_vendor(tc, declared, purpose, {"DE"}).permitted
    }  # fmt: skip
    for purpose in PURPOSES:
        for core in (False, True):
            if judge_publisher(tc, purpose, core=core, vendor=10, interest=True).permitted:
                found.add(("publisher", core, purpose))
        if judge_custom(tc, purpose, interest=True).permitted:
            found.add(("custom", purpose))
    features = {(v, f) for v in VENDORS for f in range(1, 13) if judge_special_feature(tc, v, f).permitted}
    return found | {("feature", *feature) for feature in features}
