"""Holding in the policy: times that make sense, words that have an effect, and what they compile to."""

from pathlib import Path

import pytest

from tamis.bundles.load import check_folder, load_bundle
from tamis.domain.bundle import Bundle, Hold

REFERENCE = Path(__file__).resolve().parents[3] / "config" / "reference"


def folder(tmp_path: Path, policy: str = "", destinations: tuple[str, str] = ("", "")) -> Path:
    """The reference configuration with a line more in the policy and a text replaced in the destinations."""
    for file in REFERENCE.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    with (tmp_path / "policy.yaml").open("a") as text:
        text.write(f"\n{policy}\n")
    place = tmp_path / "destinations.yaml"
    old, new = destinations
    place.write_text(place.read_text().replace(old, new) if old else place.read_text())
    return tmp_path


def compiled(place: Path) -> Bundle:
    bundle = load_bundle(place)
    assert isinstance(bundle, Bundle), bundle
    return bundle


@pytest.mark.parametrize(("policy", "hold"), [
    ("", Hold()),
    ("hold: none", None),
    ("hold: {}", Hold()),
    ("hold: {first: 30s}", Hold(first_ms=30_000)),
    ("hold: {first: 5s, last: 1h}", Hold(first_ms=5_000, last_ms=3_600_000)),
])  # fmt: skip
def test_what_it_compiles_to(tmp_path: Path, policy: str, hold: Hold | None) -> None:
    assert compiled(folder(tmp_path, policy)).policy.hold == hold


def test_a_destination_and_a_regulation_can_be_left_out(tmp_path: Path) -> None:
    place = folder(tmp_path, destinations=("accepts: all", "accepts: all\n    hold: false"))
    policy = place / "policy.yaml"
    policy.write_text(policy.read_text().replace("silence: allow", "silence: allow\n    hold: false"))
    bundle = compiled(place)
    assert {each.id: each.hold for each in bundle.destinations} == {"clean": False, "hubspot": True, "marketo": True}
    assert {law.id: law.hold for law in bundle.policy.judged()} == {"gdpr": True, "us_privacy": False}
    assert not bundle.policy.holds(bundle.policy.judged())
    assert bundle.policy.holds(bundle.policy.judged()[:1])


@pytest.mark.parametrize(("policy", "word"), [
    ("hold: {first: 1s}", "shorter than consent takes"),
    ("hold: {first: 10s, last: 25h}", "more than a day"),
    ("hold: {first: 10}", "hold"), ("hold: {middle: 10s}", "hold"), ("hold: never", "hold"), ("hold: 10s", "hold"),
])  # fmt: skip
def test_what_check_says(tmp_path: Path, policy: str, word: str) -> None:
    assert any(
        word in str(problem) and "policy.yaml" in str(problem)
        for problem in check_folder(folder(tmp_path, policy)).problems
    )


def test_words_without_an_effect_are_warned_of(tmp_path: Path) -> None:
    place = folder(tmp_path, "hold: none", ("accepts: all", "accepts: all\n    hold: true"))
    assert any("nothing is held anyway" in str(problem) for problem in check_folder(place).problems)
    assert isinstance(load_bundle(place), Bundle), "a warning refuses nothing"


def test_no_destination_that_waits_is_the_same_as_none(tmp_path: Path) -> None:
    place = folder(tmp_path, destinations=("valid_at: both", "valid_at: both\n    hold: false"))
    assert any("no destination holds events" in str(problem) for problem in check_folder(place).problems)
