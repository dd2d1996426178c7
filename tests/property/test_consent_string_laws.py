"""Consent strings of any content: what was encoded comes back, nothing crashes, less text never permits more."""

from __future__ import annotations

from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.domain.consent.strings.flaw import Flaw, Malformed
from tamis.domain.consent.strings.gpp import GppString
from tamis.domain.consent.strings.reading import Format, format_of, read
from tamis.domain.consent.strings.tcf import TcString, decode_tcf
from tests.chaos import consent_strings as chaos
from tests.support.consent_samples import any_text, spans, tc_fields, yeses
from tests.support.consent_string_fuzz import widened
from tests.support.consent_strings import Tc, core_bits, segment_bits, tc_string, text_of

BROKEN = 4_000
seeds = st.integers(0, 2**32)
alphabet = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", max_size=200)


def _mask(ids: frozenset[int], width: int) -> int:
    return sum(1 << (width - id_) for id_ in ids)


@given(seeds, st.sampled_from([8, 24]), st.booleans())
def test_what_was_encoded_comes_back(seed: int, fill: int, field: bool) -> None:
    random = Random(seed)
    tc = tc_fields(random)
    if field:  # the other form of vendor lists, short enough for one string
        near = tuple((first % 900 + 1, first % 900 + 1) for first, _ in spans(random))
        tc.vendor_consents, tc.vendor_interests, tc.disclosed, tc.allowed = near, (), ((1, 2000),), None
        tc.restrictions, tc.fields = (), True
    found = decode_tcf(tc_string(tc, fill))
    assert isinstance(found, TcString), found
    assert (found.created, found.policy_version, found.cmp_id) == (tc.created_s * 1000, tc.policy, tc.cmp_id)
    assert (found.consent_language, found.publisher_country) == (tc.language, tc.country)
    assert (found.purpose_consents, found.special_features) == (_mask(tc.consents, 24), _mask(tc.features, 12))
    assert found.purpose_legitimate_interests == _mask(tc.interests, 24)
    for vendors, sent in (
        (found.vendor_consents, tc.vendor_consents), (found.vendor_legitimate_interests, tc.vendor_interests),
        (found.disclosed, tc.disclosed), (found.allowed, tc.allowed),
    ):  # fmt: skip
        assert (vendors is None) == (sent is None)
        if vendors is not None and sent is not None:
            ids = {vendor for first, last in sent for vendor in range(first, last + 1)}
            assert set(vendors.ids()) == ids
    restrictions = [(entry.purpose, entry.type) for entry in found.restrictions]
    assert restrictions == [(purpose, kind) for purpose, kind, _ in tc.restrictions]
    if tc.publisher is not None:
        consents, interests, custom, own_consents, own_interests = tc.publisher
        assert found.publisher is not None
        assert (found.publisher.consents, found.publisher.legitimate_interests) == (
            _mask(consents, 24),
            _mask(interests, 24),
        )
        assert found.publisher.custom == custom
        assert found.publisher.custom_consents == _mask(own_consents, custom)
        assert found.publisher.custom_legitimate_interests == _mask(own_interests, custom)


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_no_beginning_of_a_string_permits_more_than_the_whole(seed: int) -> None:
    text = any_text(Random(seed))
    kind = format_of(text)
    allowed = yeses(read(text))
    for length in range(len(text)):
        found = read(text[:length], kind)
        assert isinstance(found, Malformed) or yeses(found) <= allowed, length


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_a_core_cut_inside_its_fields_is_malformed(seed: int) -> None:
    tc = tc_fields(Random(seed))
    bits, others = core_bits(tc), [text_of(bits, 24) for bits in segment_bits(tc)]
    whole = text_of(bits, 24)
    for length in range(0, len(bits) // 6, 5):
        assert isinstance(decode_tcf(".".join([whole[:length], *others])), Malformed)


@settings(deadline=None, max_examples=60)
@given(seeds, st.data())
def test_no_changed_bit_crashes(seed: int, data: st.DataObject) -> None:
    letters = list(any_text(Random(seed)))
    for at in data.draw(st.lists(st.integers(0, len(letters) - 1), min_size=1, max_size=6)):
        letters[at] = chr(ord(letters[at]) ^ 1 << data.draw(st.integers(0, 7)))
    for kind in (None, *Format):
        found = read("".join(letters), kind)
        if isinstance(found, Malformed):
            assert found.flaw in Flaw
        else:
            yeses(found)


@given(
    st.text() | alphabet | alphabet.map("C".__add__) | alphabet.map("DBABLA~".__add__), st.sampled_from([None, *Format])
)
def test_no_text_crashes_and_the_answer_is_always_the_same(text: str, kind: Format | None) -> None:
    found = read(text, kind)
    assert found == read(text, kind)
    if isinstance(found, Malformed):
        assert text == "" or text not in found.message() or len(text) < 20
    else:
        yeses(found)


@given(st.lists(alphabet, max_size=5))
def test_a_gpp_string_with_a_header_reads_or_says_which_section_is_broken(sections: list[str]) -> None:
    found = read("~".join(["DBACMYA", *sections]))
    if isinstance(found, GppString):
        assert len(found.sections) == "~".join(["", *sections]).count("~")


def test_no_broken_string_permits_more_than_its_original() -> None:
    assert list(islice(widened(2026, BROKEN), 5)) == []


def test_the_fuzz_sees_a_string_that_permits_more() -> None:
    refused = decode_tcf(tc_string(Tc()))
    granted = decode_tcf(tc_string(Tc(consents=frozenset({1}), vendor_consents=((10, 10),))))
    assert yeses(granted) > yeses(refused)
    assert chaos.main(["--count", "50"]) == 0
