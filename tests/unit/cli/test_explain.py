"""``tamis explain``: plain words, and a verdict that follows from the facts or is said not to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from tamis.cli.main import tamis
from tamis.domain.outcome import HeldOutcome, InvalidReason, Outcome, Reason
from tamis.services.explain import Explainer
from tamis.services.reason_words import OUTCOMES, REASONS
from tests.support.decided import CONFIG, bodies, configured, decided, write_decided
from tests.support.sealed_prod import KEY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_decided(tmp_path_factory.mktemp("decided"))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(tamis, [str(each) for each in arguments])


def _explained(folder: Path, offset: int) -> dict[str, object]:
    result = _run("explain", folder, "--position", f"events.raw/0/{offset}/0", "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.output)
    return found


def test_every_outcome_and_reason_has_words() -> None:
    assert {*Outcome, *HeldOutcome} <= set(OUTCOMES)
    assert {*Reason, *InvalidReason} <= set(REASONS)


def test_an_accepted_event_in_plain_words(folder: Path) -> None:
    result = _run("explain", folder, "--position", "events.raw/0/0/0")
    text = result.output
    assert result.exit_code == 0, text
    assert "outcome        accepted: it was sent on to at least one destination" in text
    assert "clean        yes  every purpose that is needed was consented to (it needs: analytics)" in text
    assert "no   the person had withdrawn consent to a purpose that is needed" in text
    assert "the device, gdpr, marketing: withdrawal since 2026-11-13 10:20:00 UTC, when it happened" in text
    assert "re-evaluated   same: the recorded facts give the recorded verdict under the recorded rules" in text


def test_each_kind_of_fate(folder: Path) -> None:
    assert _explained(folder, 1)["sentence"] == (
        "it was held back, encrypted, to be decided again when consent may be known: "
        "nothing was known about the consent of this person or device"
    )
    assert _explained(folder, 2)["rule"] == ""
    invalid = _explained(folder, 3)
    assert (invalid["reevaluated"], invalid["sentence"]) == (
        "not decided", "it was set aside, because it could not be used: it is not JSON"
    )  # fmt: skip
    refused = _explained(folder, 4)
    assert "in the event itself, gdpr, analytics: the consent that came with the event refuses" in str(refused["facts"])


def test_evidence_is_explained_whole_and_its_verdicts_verify(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.zip"
    ask = [word for n in range(6) for word in ("--position", f"events.raw/0/{n}/0")]
    assert _run("audit", "prove", folder, *ask, "--to", target).exit_code == 0
    result = _run("explain", target, "--json")
    assert [json.loads(line)["reevaluated"] for line in result.output.splitlines()] == [
        "same", "same", "same", "not decided", "same", "same",
    ]  # fmt: skip
    assert len(_run("explain", target, "--position", "events.raw/0/2/0", "--json").output.splitlines()) == 1
    assert _run("explain", target, "--position", "events.raw/0/9/0").exit_code == 1
    answer = json.loads(_run("audit", "verify-bundle", target, "--vkey", KEY, "--json").output)
    lines = {line["check"]: line for line in answer["checks"]}
    assert (lines["rules"]["state"], lines["verdict"]["state"]) == ("ok", "ok")
    assert lines["verdict"]["detail"] == "the facts in 5 leaves give the verdicts they state"


def test_without_the_rules_nothing_is_taken_for_the_same(tmp_path: Path) -> None:
    place = write_decided(tmp_path / "sealed", 6, rules=False)
    ask = ("explain", place, "--position", "events.raw/0/0/0")
    assert _run(*ask).exit_code == 1
    assert "are not at hand" in _run(*ask).output
    assert _run(*ask, "--config", CONFIG).exit_code == 0
    assert _run("explain", place).exit_code == 2
    target = tmp_path / "with-rules.zip"
    assert _run("audit", "prove", place, *ask[2:], "--config", CONFIG, "--to", target).exit_code == 0
    assert json.loads(_run("explain", target, "--json").output)["reevaluated"] == "same"
    other = _run(*ask, "--config", CONFIG.parent / "minimal")
    assert other.exit_code == 1
    assert "not the rules that the leaf cites" in other.output


def test_a_verdict_that_does_not_follow_is_said(folder: Path) -> None:
    source = configured().source
    (leaf,) = decided(bodies(1))
    assert Explainer().explain(leaf, source).reevaluated == "same"
    for before, after in (
        (b'"clean":"granted"', b'"clean":"denied"'),
        (b'["w"', b'["g"'),
        (b'"accepted"', b'"denied"'),
    ):
        assert before in leaf
        assert Explainer().explain(leaf.replace(before, after), source).reevaluated == "different", after
    for nonsense in (b"", b"{}", b"[]", leaf.replace(b'"seq"', b'"sec"')):
        with pytest.raises(ValueError, match="not a leaf"):
            Explainer().explain(nonsense, source)


def test_events_of_every_kind_follow_from_their_facts() -> None:
    explainer, source = Explainer(), configured().source
    found = [explainer.explain(leaf, source) for leaf in decided(bodies(120))]
    assert {each.reevaluated for each in found} == {"same", "not decided"}
    assert all(each.verdicts == () for each in found if each.outcome == "invalid")
