"""Laws of scrubbing: planted data never survives, hostile text ends, nothing raises."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.minimise.scrub import scrubbed
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.scrub.numbers import luhn
from tamis.domain.scrub.text import MAX_SCANNED, scrub_text

LOWER = string.ascii_lowercase
NAMES = st.text(LOWER, min_size=3, max_size=12)
BEFORE = st.sampled_from(["", "hi ", "tel:", "(", "«", "\n", "é ", "12 ", "x, ", "-"])
AFTER = st.sampled_from(["", " bye", ".", ")", "»", "\n", ", x", "!", ";", " 12"])


@st.composite
def cards(draw: st.DrawFn) -> str:
    length, gap = draw(st.integers(13, 19)), draw(st.sampled_from(["", " ", "-"]))
    head = draw(st.sampled_from("3456")) + draw(st.text(string.digits, min_size=length - 2, max_size=length - 2))
    digits = next(head + last for last in string.digits if luhn(head + last))
    return gap.join(digits[start : start + 4] for start in range(0, length, 4))


@st.composite
def ibans(draw: st.DrawFn) -> str:
    body = draw(st.text(string.digits, min_size=18, max_size=18))
    check = 98 - int(f"{body}131400") % 97  # D = 13, E = 14
    code = f"DE{check:02}{body}"
    return draw(st.sampled_from([code, code.lower(), " ".join(code[at : at + 4] for at in range(0, 22, 4))]))


@st.composite
def phones(draw: st.DrawFn) -> str:
    gap = draw(st.sampled_from(["", " ", ".", "-"]))
    groups = [f"{draw(st.integers(0, 99)):02}" for _ in range(4)]
    return draw(st.sampled_from(["+336", "06", "00336", "(06)"])) + gap + gap.join(groups)


EMAILS = st.builds(
    "{}{}{}@{}.{}".format,
    NAMES,
    st.sampled_from([".", "_", "+", "-", ""]),
    NAMES,
    NAMES,
    st.sampled_from(["de", "test"]),
)
HEX = st.text("0123456789abcdef", min_size=16, max_size=64).filter(
    lambda text: not text.isdigit() and any(char.isdigit() for char in text)
)
IPV4 = st.tuples(*[st.integers(0, 255)] * 4).map(lambda parts: ".".join(map(str, parts)))
IPV6 = st.ip_addresses(v=6).map(str).filter(lambda text: text != "::")


@given(BEFORE, EMAILS, AFTER)
def test_no_address_of_mail_survives(before: str, email: str, after: str) -> None:
    out = scrub_text(before + email + after)
    assert "[email]" in out
    assert not any(part in out for part in email.replace("@", " ").split() if len(part) > 6)


@pytest.mark.parametrize(
    ("kind", "values"),
    [("[card]", cards()), ("[iban]", ibans()), ("[phone]", phones()), ("[token]", HEX), ("[ip]", IPV4), ("[ip]", IPV6)],
)
def test_no_planted_value_survives(kind: str, values: st.SearchStrategy[str]) -> None:
    @given(
        st.sampled_from(["", "hi ", "(", "« ", "\n", "é ", "x, "]),
        values,
        st.sampled_from(["", " bye", ")", "\n", ", x"]),
    )
    def holds(before: str, value: str, after: str) -> None:
        out = scrub_text(before + value + after)
        assert value not in out
        assert "[" in out
        if kind != "[ip]":
            compact = "".join(char for char in out if char.isdigit())
            assert len(compact) < 7, out

    holds()


FRAGMENTS = (
    "a", "1", "1 ", "a@", "@", "a.", "1.", "::", "a:", "1-", "eyJ", "%40", "[at]", "+", "(", "(+", "aA1", "key=",
    "pass", "0a:", "ab-", "1a", '"', '"a', "a@b.", "1.1.1.1", "GB82 ", "A1 ", "bearer ", "0 0", "2024-11-25", "4111 ",
    "é", "&#64;", "Bearer a", "F1", "a1-", "\u0660", "\ufdfa", "[", "-", "=", " ", "\n", "/", "?", "a/", "//", "token:",
)  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4), st.sampled_from(["", "@ 1 ", "x: 1"]))
def test_any_text_is_scrubbed_twice_to_the_same_kinds(parts: list[str], before: str) -> None:
    text = before + "".join(parts) * 40
    out = scrub_text(text)
    assert len(scrub_text(out)) <= 2 * len(out) + 16


@given(st.text(max_size=200))
def test_nothing_raises(text: str) -> None:
    assert isinstance(scrub_text(text), str)
    assert scrubbed(text) is None or 0 < len(str(scrubbed(text))) <= MAX_TEXT_CHARS


@pytest.mark.parametrize("before", ["", "@ 1 "])
def test_hostile_texts_end(before: str) -> None:
    """An exponential form would not come back; ``bench.minimise`` prints the worst times."""
    for fragment in FRAGMENTS:
        assert len(scrub_text((before + fragment * MAX_SCANNED)[:MAX_SCANNED])) <= 3 * MAX_SCANNED
