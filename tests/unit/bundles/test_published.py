"""The topic ``rules`` as a value: signatures, pointers, problems by line."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from tamis.bundles.folder import files_of
from tamis.bundles.load import check_folder
from tamis.bundles.published import Published
from tamis.bundles.publishing import Pair, bundle_record, pointer_record, report_record
from tamis.bundles.signing import Signer, public_bytes, verified
from tamis.bundles.source import NAME
from tamis.domain.bundle import Bundle
from tamis.records.rules import ACTIVE, SHADOW, WorkerReport
from tests.support.bundles import CONFIG, minimal_bundle, reference_bundle

TOPIC = "prod.rules"


def signer(name: str = "ours") -> Signer:
    return Signer(lambda label: hashlib.sha256(f"{name}/{label}".encode()).digest())


OURS, THEIRS = signer(), signer("theirs")


def bundle_pair(bundle: Bundle, folder: str = "reference", by: Signer = OURS) -> Pair:
    return bundle_record(bundle, files_of(CONFIG / folder), by, 1_000)


def published(*pairs: Pair) -> Published:
    made = Published(TOPIC, [OURS.public])
    for key, value in pairs:
        made.apply(key, value)
    return made


def pointed(found: Published, name: str, by: Signer = OURS, topic: str = TOPIC, role: str = ACTIVE) -> Published:
    found.apply(*pointer_record(found, name, by, topic, 2_000, role))
    return found


@pytest.mark.parametrize("folder", ["reference", "minimal"])
def test_a_published_bundle_is_the_bundle_of_its_folder(folder: str) -> None:
    bundle = check_folder(CONFIG / folder).bundle
    assert bundle is not None
    checked = published(bundle_pair(bundle, folder)).check(bundle.hash)
    assert checked.bundle is not None
    assert (checked.bundle.hash, checked.bundle.source) == (bundle.hash, bundle.source)


def test_a_bundle_without_files_is_made_of_its_source() -> None:
    found = published(bundle_record(minimal_bundle(), {}, OURS, 1)).check(minimal_bundle().hash)
    assert found.bundle is not None
    assert found.bundle.hash == minimal_bundle().hash


def test_files_that_say_something_else_only_serve_to_read() -> None:
    found = published(bundle_record(minimal_bundle(), files_of(CONFIG / "reference"), OURS, 1))
    bundle = found.check(minimal_bundle().hash).bundle
    assert bundle is not None
    assert bundle.source == minimal_bundle().source


def test_problems_are_told_by_the_line_of_the_file() -> None:
    files = files_of(CONFIG / "minimal")
    files["rules.yaml"] = files["rules.yaml"].replace("[clean]", "[nowhere]")
    wrong = msgspec.json.decode(minimal_bundle().source)
    wrong["rules"][0]["destinations"] = ["nowhere"]
    source = msgspec.json.encode(wrong, order="sorted")
    name = hashlib.sha256(source).hexdigest()[:32]
    bundle = msgspec.structs.replace(minimal_bundle(), source=source, hash=name)
    checked = published(bundle_record(bundle, files, OURS, 1)).check(name)
    assert checked.bundle is None
    [line] = [n for n, text in enumerate(files["rules.yaml"].splitlines(), 1) if "nowhere" in text]
    assert ("rules.yaml", line) in {(problem.file, problem.line) for problem in checked.problems}


def test_what_is_not_there_is_a_problem() -> None:
    [problem] = published().check("0123456789abcdef").problems
    assert problem.file == NAME


def test_a_key_that_is_not_trusted_publishes_nothing() -> None:
    found = published(bundle_pair(reference_bundle(), by=THEIRS))
    pointed(found, reference_bundle().hash, THEIRS)
    assert (found.bundles, found.pointers) == ({}, {})
    assert len(found.odd) == 2
    assert THEIRS.public in found.odd[0]


@pytest.mark.parametrize("old", [b'"seq":1', b'"at":2000', b"prod.rules"])
def test_a_changed_byte_breaks_a_pointer(old: bytes) -> None:
    found = published(bundle_pair(reference_bundle()))
    key, value = pointer_record(found, reference_bundle().hash, OURS, TOPIC, 2_000)
    assert old in value
    found.apply(key, value.replace(old, old[:-1] + bytes([old[-1] ^ 1])))
    assert found.pointers == {}
    assert len(found.odd) == 1


def test_a_bundle_stands_under_its_own_hash_alone() -> None:
    key, value = bundle_pair(reference_bundle())
    found = published((b"0123456789abcdef", value))
    assert found.bundles == {}
    lie = msgspec.structs.replace(reference_bundle(), hash="0123456789abcdef")
    found = published(bundle_pair(lie))
    assert found.bundles == {}
    assert key == reference_bundle().hash.encode()


def test_the_highest_number_holds_and_an_old_pointer_written_again_moves_nothing() -> None:
    found = published()
    first = pointer_record(found, "a" * 16, OURS, TOPIC, 1)
    found.apply(*first)
    pointed(found, "b" * 16)
    found.apply(*first)
    pointer = found.pointer()
    assert pointer is not None
    assert (pointer.hash, pointer.seq, pointer.previous) == ("b" * 16, 2, "a" * 16)
    assert found.odd == ["active: number 1 was used before"]


def test_of_two_publishers_at_once_the_first_wins() -> None:
    found = published()
    one, other = (pointer_record(found, name * 16, OURS, TOPIC, 1) for name in "ab")
    found.apply(*one)
    found.apply(*other)
    pointer = found.pointer()
    assert pointer is not None
    assert pointer.hash == "a" * 16


def test_reading_the_same_record_twice_is_nothing_odd() -> None:
    found = published()
    record = pointer_record(found, "a" * 16, OURS, TOPIC, 1)
    found.apply(*record)
    found.apply(*record)
    assert found.odd == []


def test_a_pointer_of_another_installation_moves_nothing() -> None:
    assert pointed(published(), "a" * 16, topic="test.rules").pointers == {}


def test_an_active_pointer_under_the_name_of_the_candidate_moves_nothing() -> None:
    found = published()
    _, value = pointer_record(found, "a" * 16, OURS, TOPIC, 1, ACTIVE)
    found.apply(SHADOW.encode(), value)
    assert found.pointers == {}


def test_a_candidate_comes_and_goes() -> None:
    found = pointed(published(), "a" * 16, role=SHADOW)
    pointed(found, "", role=SHADOW)
    pointer = found.pointer(SHADOW)
    assert pointer is not None
    assert (pointer.hash, pointer.seq) == ("", 2)


@pytest.mark.parametrize(
    "value", [b"", b"{", b"null", b"[]", b'{"v":1}', b"\xff\xfe", b'{"v":2,"key":"","sig":"","body":1}']
)
@pytest.mark.parametrize("key", [b"active", b"shadow", b"0123456789abcdef", b"worker/a", b"\xff", b""])
def test_reading_never_raises(key: bytes, value: bytes) -> None:
    found = published((key, value))
    assert (found.bundles, found.pointers, found.reports) == ({}, {}, {})


def test_records_without_key_or_value_are_ignored() -> None:
    found = published()
    found.apply(None, None)
    found.apply(b"active", None)
    assert found.pointers == {}


def test_reports_of_workers() -> None:
    report = WorkerReport(
        worker="a/1", version="1", roles="intake", bundle="x", seq=1, at=5, refused=("rules.yaml:3: no",)
    )
    found = published(report_record(report))
    assert found.reports == {"a/1": report}
    found.apply(b"worker/a/1", None)
    assert found.reports == {}


def test_signatures() -> None:
    assert verified(OURS.public, OURS.sign(b"x"), b"x")
    assert not verified(OURS.public, OURS.sign(b"x"), b"y")
    assert not verified(THEIRS.public, OURS.sign(b"x"), b"x")
    assert not verified(OURS.public, "", b"x")
    assert not verified("ed25519:", OURS.sign(b"x"), b"x")
    assert public_bytes(OURS.public.removeprefix("ed25519:")) is None
    assert OURS.public == signer().public


def test_files_of_a_folder_with_several_rule_files(tmp_path: Path) -> None:
    for name, text in files_of(CONFIG / "minimal").items():
        (tmp_path / name).write_text(text)
    (tmp_path / "rules").mkdir()
    more = (
        (tmp_path / "rules.yaml").read_text().replace("newsletter_signup", "another").replace("Newsletter Signup", "X")
    )
    (tmp_path / "rules" / "b.yaml").write_text(more.replace("another", "second"))
    (tmp_path / "rules" / "a.yaml").write_text(more)
    bundle = check_folder(tmp_path).bundle
    assert bundle is not None
    checked = published(bundle_record(bundle, files_of(tmp_path), OURS, 1)).check(bundle.hash)
    assert checked.bundle is not None
    assert [each.rule.id for each in checked.bundle.rules.rules] == ["newsletter_signup", "another", "second"]
