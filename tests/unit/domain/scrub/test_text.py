"""What is found in free text, and what is left alone."""

from __future__ import annotations

import pytest

from tamis.domain.minimise.scrub import scrubbed
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.scrub.numbers import luhn
from tamis.domain.scrub.text import MAX_SCANNED, scrub_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123"

FOUND = [
    ("write to john.doe@example.com please", "write to [email] please"),
    ("john%40example.com", "[email]"),
    ("john&#64;example.com", "[email]"),
    ("john [at] example.com", "[email]"),
    ("john (AT) example.com", "[email]"),
    ("john\uff20example.com", "[email]"),
    ("john\u200b@exa\u00admple.com", "[email]"),
    ("jörg@müller.example", "[email]"),
    ('"john doe"@example.com', "[email]"),
    ("user@localhost", "[email]"),
    ("user@[192.0.2.1]", "[email]"),
    ("Zoë <zoe@example.de>, hi", "Zoë <[email]>, hi"),
    ("a@b.c,d@e.f", "[email],[email]"),
    ("bounce+john=example.com@list.test", "[email]"),
    ("call +33 6 12 34 56 78 now", "call [phone] now"),
    ("(415) 555-2671", "[phone]"),
    ("415-555-2671", "[phone]"),
    ("415.555.2671", "[phone]"),
    ("4155552671", "[phone]"),
    ("+1 (415) 555-2671 ext 5", "[phone] ext 5"),
    ("06 12 34 56 78", "[phone]"),
    ("06.12.34.56.78", "[phone]"),
    ("0612345678", "[phone]"),
    ("Tel0612345678", "Tel[phone]"),
    ("020 7946 0958", "[phone]"),
    ("0171/2345678", "[phone]"),
    ("0033612345678", "[phone]"),
    ("612 345 678", "[phone]"),
    ("٠٦١٢٣٤٥٦٧٨", "[phone]"),
    ("06 12 34 56 78 06 98 76 54 32", "[phone]"),
    ("0612345678 0698765432", "[phone] [phone]"),
    ("25.11.2024 0612345678", "25.11.2024 [phone]"),
    ("ssn 123-45-6789", "ssn [phone]"),
    ("4111111111111111", "[card]"),
    ("4111 1111 1111 1111", "[card]"),
    ("4111-1111-1111-1111", "[card]"),
    ("378282246310005", "[card]"),
    ("card 5555555555554444 exp 12/26", "card [card] exp 12/26"),
    ("x4111111111111111y", "x[card]y"),
    ("4111 1111 1111 1111 123", "[card] 123"),
    ("12345678901234567890123", "[number]"),
    ("DE89 3704 0044 0532 0130 00", "[iban]"),
    ("GB82WEST12345698765432 ok", "[iban] ok"),
    ("fr14 2004 1010 0505 0001 3M02 606", "[iban]"),
    ("IBAN: NL91ABNA0417164300, thanks", "IBAN: [iban], thanks"),
    ("from 203.0.113.9.", "from [ip]."),
    ("203.0.113.9:8080", "[ip]:8080"),
    ("2001:db8::1 and 10:30:00", "[ip] and 10:30:00"),
    ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[ip]"),
    ("::ffff:203.0.113.9", "[ip]"),
    ("fe80::1%eth0", "[ip]"),
    ("aa:bb:cc:dd:ee:ff", "[device]"),
    ("aa-bb-cc-dd-ee-ff", "[device]"),
    ("password=hunter2 x", "password=[secret] x"),
    ("api_key: 'AbC123'", "api_key: '[secret]'"),
    ("Authorization: Bearer abc.def", "Authorization: [secret]"),
    ("Bearer abcdefgh1234", "Bearer [secret]"),
    ("Basic dXNlcjpwYXNz1A==", "Basic [secret]"),
    (JWT, "[token]"),
    ("550e8400-e29b-41d4-a716-446655440000", "[token]"),
    ("d41d8cd98f00b204e9800998ecf8427e", "[token]"),
    ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[token]"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[token]"),
    ("AKIAIOSFODNN7EXAMPLE", "[token]"),
    ("am9obkBleGFtcGxlLmNvbQ0K1==", "[token]"),
]  # fmt: skip

LEFT = [
    "", "red shoes for men", "iPhone 15 Pro Max 256 GB", "order 12345678", "order 1234567890123", "ORD-2024-000123",
    "2024-11-25 10:30:00", "2024-11-25T10:30:00Z", "25.11.2024", "2023-2024", "price 1,234,567.89", "12.345,67 €",
    "1700000000", "1700000000000", "0.123456789", "version 10.15.7", "how-to-buy-shoes-in-2024-cheap", "3/4 of 100%",
    "basic understanding of sieves", "token of love", "key features: fast", "Straße 12", "10:30:00", "std::vector",
    "internationalisation-und-lokalisierung", "size 42 colour 7", "5 @ 2", "EN 10025-2",
]  # fmt: skip


@pytest.mark.parametrize(("text", "out"), FOUND)
def test_found(text: str, out: str) -> None:
    assert scrub_text(text) == out


@pytest.mark.parametrize(("text", "out"), FOUND)
def test_found_within_other_text(text: str, out: str) -> None:
    if text.startswith("::"):
        return
    assert scrub_text(f"so, {text} ; and more") == f"so, {out} ; and more"


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize("text", [text for text, _ in FOUND])
def test_what_is_scrubbed_holds_nothing_more(text: str) -> None:
    assert scrub_text(scrub_text(text)) == scrub_text(text)


@pytest.mark.parametrize("digits", ["4111111111111111", "5555555555554444", "378282246310005", "79927398713"])
def test_luhn(digits: str) -> None:
    assert luhn(digits)
    for place in range(len(digits)):
        changed = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
        assert not luhn(changed)


def test_nothing_behind_what_is_scanned_leaves() -> None:
    address = "jane.doe@example.test"
    for before in range(MAX_SCANNED - 40, MAX_SCANNED + 2):
        assert "jane" not in scrub_text("x " * (before // 2) + address + " and more")


class TestAction:
    """The field action."""

    def test_addresses_are_stripped_and_the_length_is_bounded(self) -> None:
        assert scrubbed("see https://a.test/x?mail=jane@a.test now") == "see https://a.test/x"
        assert scrubbed("/p?q=jane") == "/p"
        assert len(str(scrubbed("word " * 900))) == MAX_TEXT_CHARS

    def test_an_address_of_mail_at_the_bound_does_not_leave_in_part(self) -> None:
        assert "jane" not in str(scrubbed("x" * (MAX_TEXT_CHARS - 10) + " jane.doe@example.test"))

    @pytest.mark.parametrize("value", [1, 12345678, 1700000000000, 2.5, True, -7])
    def test_numbers_pass(self, value: float) -> None:
        assert scrubbed(value) == value

    @pytest.mark.parametrize("value", [4111111111111111, 4155552671, None, [], {}, ["a"], "", 10**30, float("nan")])
    def test_what_cannot_leave(self, value: object) -> None:
        assert scrubbed(value) is None
