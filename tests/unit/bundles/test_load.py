"""Folders and sources to bundles."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tamis.bundles.load import check_folder, compile_source, load_bundle
from tamis.domain.bundle import Bundle
from tests.support.bundles import CONFIG, event, minimal_bundle, reference_bundle

CONVERSIONS = {
    "newsletter_signup", "pdf_download", "video_75", "wishlist_add", "quote_started", "account_created",
    "pricing_viewed", "document_reviewed", "compliance_form_begun", "page_viewed",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the minimal configuration."""
    shutil.copytree(CONFIG / "minimal", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_expected_times_are_meant_in_the_time_zone_of_the_policy(folder: Path) -> None:
    policy = folder / "policy.yaml"
    for zone, line in (("UTC", ""), ("Europe/Berlin", "time_zone: Europe/Berlin\n")):
        policy.write_text(policy.read_text() + line)
        bundle = load_bundle(folder)
        assert isinstance(bundle, Bundle)
        assert bundle.policy.time_zone == zone


@pytest.mark.parametrize("name", ["minimal", "reference"])
def test_shipped_configuration_has_no_problem_at_all(name: str) -> None:
    assert check_folder(CONFIG / name).problems == []


def test_reference_bundle() -> None:
    bundle = reference_bundle()
    assert {compiled.rule.id for compiled in bundle.rules.rules} == CONVERSIONS
    topics = {destination.id: (destination.topic, destination.purposes) for destination in bundle.destinations}
    assert topics == {
        "clean": ("events.clean", ("analytics",)),
        "hubspot": ("crm.hubspot", ("marketing",)),
        "marketo": ("crm.marketo", ("marketing",)),
    }
    fields = [set(destination.field_names) for destination in bundle.destinations]
    assert not fields[1] & fields[2]
    assert "email" not in fields[0]
    assert bundle.policy.aliases["Advertising"] == "marketing"
    assert bundle.policy.aliases["marketing"] == "marketing"
    assert bundle.policy.max_age_ms["analytics"] == 390 * 86_400_000
    assert bundle.policy.sites["shop.example.test"] == "shop"


@pytest.mark.parametrize(
    ("name", "kind", "properties", "path", "rule", "value"),
    [
        ("Newsletter Signup", "track", {}, "/", "newsletter_signup", 2.5),
        ("newsletter_signup", "track", {}, "/", "newsletter_signup", 2.5),
        ("File Downloaded", "track", {"file": "guide.PDF"}, "/", "pdf_download", 1.5),
        ("File Downloaded", "track", {"file": "guide.zip"}, "/", None, None),
        ("Video Progress", "track", {"percent": 75}, "/", "video_75", 1.0),
        ("Video Progress", "track", {"percent": 50}, "/", None, None),
        ("Video Progress", "track", {"percent": "75"}, "/", None, None),
        ("Wishlist Add", "track", {"price": 99.5}, "/", "wishlist_add", 99.5),
        ("Document Reviewed", "track", {"status": "draft"}, "/", None, None),
        ("Document Reviewed", "track", {}, "/", "document_reviewed", None),
        ("Pricing", "page", {}, "/p", "pricing_viewed", None),
        ("Team plan", "page", {}, "/pricing/team", "pricing_viewed", None),
        ("Home", "page", {}, "/", "page_viewed", None),
        ("page", "page", {}, "/", "page_viewed", None),
        ("Search Performed", "track", {}, "/", None, None),
    ],
)
def test_reference_rules_tag(
    name: str, kind: str, properties: dict[str, object], path: str, rule: str | None, value: float | None
) -> None:
    seen = event(name, kind, properties, page={"path": path})
    found = reference_bundle().rules.match(seen)
    assert (found.rule.id if found else None) == rule
    assert (found.value(seen) if found else None) == value


def test_the_hash_is_that_of_the_source() -> None:
    bundle = reference_bundle()
    assert bundle.hash == hashlib.sha256(bundle.source).hexdigest()[:32]
    assert set(json.loads(bundle.source)) == {"v", "rules", "destinations", "policy"}


def test_a_source_gives_the_same_bundle() -> None:
    bundle = reference_bundle()
    again = compile_source(bundle.source)
    assert isinstance(again, Bundle)
    assert (again.hash, again.source, again.policy) == (bundle.hash, bundle.source, bundle.policy)
    assert [c.rule for c in again.rules.rules] == [c.rule for c in bundle.rules.rules]
    assert [d.field_names for d in again.destinations] == [d.field_names for d in bundle.destinations]


def test_layout_and_comments_do_not_change_the_hash(folder: Path) -> None:
    policy = folder / "policy.yaml"
    policy.write_text(
        "# another comment\nminors: {unknown_age: adult}\n"
        "purposes: {analytics: {aliases: ['Analytics']}}\n\nregulation: \"gdpr\"\n"
    )
    assert load_bundle(folder).hash == minimal_bundle().hash  # type: ignore[union-attr]  # a list would fail here too


def test_any_value_changes_the_hash(folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("sla: 4h", "sla: 5h"))
    bundle = load_bundle(folder)
    assert isinstance(bundle, Bundle)
    assert bundle.hash != minimal_bundle().hash


def test_rules_may_stand_in_several_files(folder: Path) -> None:
    whole = (folder / "rules.yaml").read_text()
    (folder / "rules").mkdir()
    (folder / "rules" / "b.yaml").write_text(
        whole.replace("newsletter_signup\n", "bee\n").replace("Newsletter S", "B s")
    )
    (folder / "rules" / "a.yaml").write_text(
        whole.replace("newsletter_signup\n", "ant\n").replace("Newsletter S", "A s")
    )
    bundle = load_bundle(folder)
    assert isinstance(bundle, Bundle)
    assert [compiled.rule.id for compiled in bundle.rules.rules] == ["newsletter_signup", "ant", "bee"]
    (folder / "rules.yaml").unlink()
    again = load_bundle(folder)
    assert isinstance(again, Bundle)
    assert [compiled.rule.id for compiled in again.rules.rules] == ["ant", "bee"]


def test_all_files_are_reported_at_once(folder: Path) -> None:
    (folder / "policy.yaml").write_text("regulation: [")
    (folder / "destinations.yaml").unlink()
    (folder / "rules.yaml").write_text("rules: [{id: 5}]")
    (folder / "rules").mkdir()
    (folder / "rules" / "x.yaml").write_bytes(b"rules: \xff\n")
    (folder / "rule.yml").write_text("")
    found = load_bundle(folder)
    assert isinstance(found, list)
    assert {problem.file for problem in found} == {"policy.yaml", "destinations.yaml", "rules.yaml", "rules/x.yaml"}
    assert next(p.message for p in check_folder(folder).problems if p.file == "rule.yml").startswith("not read")


def test_no_folder(tmp_path: Path) -> None:
    found = load_bundle(tmp_path / "absent")
    assert isinstance(found, list)
    assert [str(problem) for problem in found] == [".:1: error: there is no such folder"]


def test_an_unreadable_file_hides_no_false_references(folder: Path) -> None:
    (folder / "destinations.yaml").write_text("destinations: [")
    found = load_bundle(folder)
    assert isinstance(found, list)
    assert [problem.file for problem in found] == ["destinations.yaml"]


@pytest.mark.parametrize("source", [b"", b"{", b"[]", b"{}", b'{"v":2}', b"\xff", b"[" * 100_000, b'{"v":1}'])
def test_a_damaged_source_is_refused(source: bytes) -> None:
    found = compile_source(source)
    assert isinstance(found, list)
    assert found
