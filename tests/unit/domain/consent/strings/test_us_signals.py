"""US opt-outs in one vocabulary: the refusal wins, and what may have been cut off counts as one."""

from __future__ import annotations

from typing import Any

import pytest

from tamis.domain.consent.strings.us import UsSection, decode_us
from tamis.domain.consent.strings.us_signals import Choice, UsChoices, choices_of, choices_of_usp
from tamis.domain.consent.strings.usp import UspString
from tests.support.consent_samples import FIELDS
from tests.support.consent_strings import gpc, us_section

NA, REFUSED, ACCEPTED = Choice.NOT_APPLICABLE, Choice.REFUSED, Choice.ACCEPTED
LATEST = {row["section"]: row for row in FIELDS}


def _section(section: int, *more: str, **fields: Any) -> UsSection:
    row = LATEST[section]
    default = {"MspaCoveredTransaction": 1} | fields
    values = [default.get(name, [0] * count if count else 0) for name, count in row["core"]]
    found = decode_us(section, us_section(row["version"], values, *more))
    assert isinstance(found, UsSection), found
    return found


def test_nothing_said_is_not_applicable() -> None:
    assert choices_of(_section(9)) == UsChoices(NA, NA, NA, sensitive_categories=(NA,) * 8)


@pytest.mark.parametrize(
    ("field", "choice"),
    [("SaleOptOut", "sale"), ("SharingOptOut", "share"), ("TargetedAdvertisingOptOut", "targeted_advertising")],
)
@pytest.mark.parametrize(("value", "expected"), [(0, NA), (1, REFUSED), (2, ACCEPTED)])
def test_one_is_opted_out_and_two_is_not(field: str, choice: str, value: int, expected: Choice) -> None:
    assert getattr(choices_of(_section(7, gpc(False), **{field: value})), choice) is expected


@pytest.mark.parametrize("section", sorted(set(LATEST) - {8}))
def test_every_state_knows_sale_and_targeted_advertising(section: int) -> None:
    more = [gpc(False)] if LATEST[section]["segment"] == "gpc" else []
    found = choices_of(_section(section, *more, SaleOptOut=1, TargetedAdvertisingOptOut=2))
    assert (found.sale, found.targeted_advertising) == (REFUSED, ACCEPTED)


def test_of_several_values_the_refusal_wins() -> None:
    found = choices_of(
        _section(7, gpc(False), SensitiveDataProcessing=[2] * 15 + [1], KnownChildSensitiveDataConsents=[0, 1, 2])
    )
    assert (found.sensitive, found.known_child) == (REFUSED, REFUSED)
    assert found.sensitive_categories == (ACCEPTED,) * 15 + (REFUSED,)
    assert choices_of(_section(12, gpc(False), KnownChildSensitiveDataConsents=[0, 0, 2])).known_child is ACCEPTED


def test_additional_processing_has_two_names() -> None:
    assert choices_of(_section(7, gpc(False), PersonalDataConsents=1)).additional_processing is REFUSED
    assert choices_of(_section(16, gpc(False), AdditionalDataProcessingConsent=2)).additional_processing is ACCEPTED


def test_gpc_opts_out_whatever_the_fields_say() -> None:
    found = choices_of(_section(8, gpc(True), SaleOptOut=2, SharingOptOut=2))
    assert (found.sale, found.share, found.targeted_advertising, found.gpc) == (REFUSED, REFUSED, REFUSED, True)


def test_a_missing_gpc_segment_may_have_been_cut_off() -> None:
    section = _section(8, SaleOptOut=2)
    assert choices_of(section).sale is REFUSED
    assert choices_of(section).gpc is None
    assert choices_of(section, no_gpc_segment_is_no_gpc=True).sale is ACCEPTED
    assert choices_of(_section(9, SaleOptOut=2)).sale is ACCEPTED  # Virginia has no such segment


def test_a_missing_segment_of_sensitive_consents_is_no_consent() -> None:
    assert choices_of(_section(26)).sensitive is REFUSED
    assert choices_of(_section(26)).sensitive_categories == (REFUSED,) * 8
    assert choices_of(_section(26, "10" * 8)).sensitive is ACCEPTED
    assert choices_of(_section(24, gpc(False))).sensitive is NA  # Maryland's section has no such field


def test_the_shorter_usnat_may_be_the_beginning_of_the_longer_one() -> None:
    shorter = next(row for row in FIELDS if (row["section"], row["version"]) == (7, 1))
    values = [[0] * count if count else 0 for _, count in shorter["core"]]
    cut, whole = decode_us(7, us_section(1, values)), decode_us(7, us_section(1, values, gpc(False)))
    assert isinstance(cut, UsSection)
    assert isinstance(whole, UsSection)
    assert choices_of(cut, no_gpc_segment_is_no_gpc=True) == UsChoices(
        NA, NA, NA, REFUSED, (REFUSED,) * 12, REFUSED, REFUSED
    )
    assert choices_of(whole) == UsChoices(NA, NA, NA, NA, (NA,) * 12, gpc=False)


@pytest.mark.parametrize(("letter", "choice"), [("Y", REFUSED), ("N", ACCEPTED), ("-", NA)])
def test_us_privacy_speaks_of_sale_and_so_of_sharing(letter: str, choice: Choice) -> None:
    found = choices_of_usp(UspString("Y", letter, "N"))
    assert (found.sale, found.share, found.targeted_advertising) == (choice, choice, NA)
