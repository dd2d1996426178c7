"""Names of laws: one meaning, several, or none."""

import pytest

from tamis.domain.consent.regulation import Regulation
from tamis.domain.consent.regulation_names import Filed, RegulationNames


def names(*laws: str, **aliases: tuple[str, ...]) -> RegulationNames:
    return RegulationNames(Regulation(id=law, aliases=aliases.get(law, ())) for law in laws)


@pytest.mark.parametrize(
    ("laws", "name", "grants", "refusals"),
    [
        (("gdpr", "us_privacy"), "gdpr", "gdpr", "gdpr"),
        (("gdpr", "us_privacy"), "GDPR", "gdpr", "gdpr"),
        (("gdpr", "us_privacy"), "RGPD", "gdpr", "gdpr"),
        (("gdpr", "us_privacy"), "cpra", "us_privacy", "us_privacy"),
        (("gdpr", "ccpa"), "CPRA", "ccpa", "ccpa"),
        (("gdpr", "cpra"), "us-privacy", "cpra", "cpra"),
        (("ccpa", "gdpr", "vcdpa"), "usnat", "", "ccpa vcdpa"),
        (("ccpa", "gdpr", "vcdpa"), "vcdpa", "vcdpa", "vcdpa"),
        (("gdpr",), "ccpa", "ccpa", "ccpa"),
        (("gdpr",), "cpra", "us_privacy", "us_privacy"),
        (("gdpr",), "uk-gdpr", "uk_gdpr", "uk_gdpr"),
        (("gdpr", "us_privacy"), "lgpd", "lgpd", "lgpd"),
        (("gdpr", "us_privacy"), "martian law", "", "gdpr us_privacy"),
        (("gdpr", "us_privacy"), "", "", "gdpr us_privacy"),
    ],
)  # fmt: skip
def test_file(laws: tuple[str, ...], name: str, grants: str, refusals: str) -> None:
    assert names(*laws).file(name) == Filed(tuple(grants.split()), tuple(refusals.split()))


def test_a_word_of_the_policy_comes_before_what_is_known() -> None:
    found = names("eu", "us", eu=("GDPR", "uk gdpr"), us=("California 2023",))
    assert found.file("gdpr").grants == ("eu",)
    assert found.file("UK-GDPR").grants == ("eu",)
    assert found.file("california_2023").grants == ("us",)
    assert found.file("us").grants == ("us",)


def test_refusals_reach_at_least_where_grants_do() -> None:
    for policy in (("gdpr",), ("gdpr", "us_privacy"), ("ccpa", "vcdpa", "gdpr")):
        for name in ("ccpa", "cpra", "gdpr", "x", "uk", "lgpd"):
            filed = names(*policy).file(name)
            assert set(filed.grants) <= set(filed.refusals)
            assert filed.refusals
