"""What reading a consent string costs: each format uncached and cached, and the worst strings of at most 8 KiB.

The reference is base64 decoding and SHA-256 of the same text with the standard library, in the same run. Prints a
table and, on the last line, JSON; CPU time of one process, best of several runs, µs per string. A cached read gets a
text that is equal but not the same object, as from a new payload, so that its hash counts.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tamis.domain.consent.strings.consent_mode import decode_gcd, decode_gcs, forget_gcd
from tamis.domain.consent.strings.flaw import MAX_CHARS
from tamis.domain.consent.strings.gpp import decode_gpp, forget_gpp
from tamis.domain.consent.strings.tcf import decode_tcf, forget_tcf
from tamis.domain.consent.strings.tcf_judgement import Vendor, judge_vendor
from tamis.domain.consent.strings.usp import decode_usp
from tests.support.consent_strings import (
    Tc,
    core_bits,
    fibonacci,
    gpc,
    gpp_string,
    number,
    segment_bits,
    tc_string,
    text_of,
    us_section,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS, ROUNDS, WORST_RUNS = 9, 40, 25
TARGETS = {"uncached": 25.0, "cached": 0.5, "worst": 2000.0}
VECTORS = Path(__file__).parents[1] / "tests" / "vectors" / "consent_strings"


def main() -> None:
    """Measure and print."""
    report: dict[str, Any] = {"unit": "us_per_string", "targets": TARGETS, "formats": {}, "worst": {}}
    print(f"{'format':<34}{'chars':>7}{'uncached':>10}{'cached':>8}{'base64+sha256':>15}{'ratio':>7}")
    for name, strings, decode in _formats():
        texts = list(dict.fromkeys(strings))
        cold, warm, reference = _uncached(decode, texts), _cached(decode, texts), _best(_reference, _plain(texts))
        chars = sum(map(len, texts)) // len(texts)
        print(f"{name:<34}{chars:>7}{cold:>10.2f}{warm:>8.3f}{reference:>15.2f}{cold / reference:>7.1f}")
        row = {"chars": chars, "uncached": cold, "cached": warm, "reference": reference}
        report["formats"][name] = {key: round(value, 3) for key, value in row.items()}
    print(f"\n{'worst of crafted strings':<34}{'chars':>7}{'uncached':>10}{'base64+sha256':>23}{'ratio':>7}")
    for name, text in _crafted():
        assert len(text) <= MAX_CHARS, (name, len(text))
        cold = _best(_read_anew, [text], WORST_RUNS)
        reference = _best(_reference, _plain([text]), WORST_RUNS)
        print(f"{name:<34}{len(text):>7}{cold:>10.1f}{reference:>23.1f}{cold / reference:>7.1f}")
        report["worst"][name] = round(cold, 1)
    report["judgement"] = round(_judgement(), 3)
    print(f"\none vendor and purpose judged: {report['judgement']:.2f} µs")
    print(json.dumps(report))


def _forget() -> None:
    forget_tcf()
    forget_gpp()
    forget_gcd()


def _read_anew(text: str) -> object:
    _forget()
    return decode_gpp(text) if text[0] == "D" else decode_tcf(text)


def _reference(text: str) -> object:
    return sha256(text.encode()).digest(), urlsafe_b64decode(text)


def _plain(texts: list[str]) -> list[str]:
    """The texts as whole groups of base64 without separators, for the reference."""
    joined = [text.replace(".", "").replace("~", "") for text in texts]
    return [text + "A" * (-len(text) % 4) for text in joined]


def _best(call: Callable[[str], object], texts: list[str], runs: int = RUNS) -> float:
    spans = []
    for _ in range(runs):
        start = time.process_time_ns()
        for text in texts:
            call(text)
        spans.append(time.process_time_ns() - start)
    return min(spans) / len(texts) / 1000


def _uncached(decode: Callable[[str], object], texts: list[str]) -> float:
    """Every text once after the memory was emptied; emptying is not counted."""
    spans = []
    for _ in range(RUNS * 5):
        _forget()
        start = time.process_time_ns()
        for text in texts:
            decode(text)
        spans.append(time.process_time_ns() - start)
    return min(spans) / len(texts) / 1000


def _cached(decode: Callable[[str], object], texts: list[str]) -> float:
    raw = [text.encode() for text in texts]
    spans = []
    for _ in range(RUNS):
        fresh = [one.decode() for _ in range(ROUNDS) for one in raw]
        start = time.process_time_ns()
        for text in fresh:
            decode(text)
        spans.append(time.process_time_ns() - start)
    return min(spans) / len(texts) / ROUNDS / 1000


def _formats() -> list[tuple[str, list[str], Callable[[str], object]]]:
    tcf = [vector["tc_string"] for vector in json.loads((VECTORS / "tcf_v2.json").read_text())]
    gpp = [vector["gpp_string"] for vector in json.loads((VECTORS / "gpp.json").read_text())]
    alike = [
        tc_string(Tc(consents=frozenset(range(1, n % 11 + 2)), vendor_consents=((1, 900 + n),))) for n in range(40)
    ]
    letters = "lpqtrmnuv"
    return [
        ("tcf: accept and reject, one range", alike, decode_tcf),
        ("tcf: vectors, up to 40 ranges", tcf, decode_tcf),
        ("gpp: vectors", gpp, decode_gpp),
        ("usp", [f"1{a}{b}{c}" for a in "YN-" for b in "YN-" for c in "YN-"], decode_usp),
        ("gcs", [f"G1{a}{b}" for a in "01-" for b in "01-"], decode_gcs),
        ("gcd", [f"11{a}1{b}1{a}1{b}5" for a in letters for b in letters], decode_gcd),
    ]


def _crafted() -> list[tuple[str, str]]:
    singles = tuple((n, n) for n in range(1, 2_701))
    groups = tuple((n, n + 1) for n in range(1, 2_800, 2))
    limits = [(purpose, kind) for purpose in range(1, 64) for kind in range(3)]
    disclosed = text_of(segment_bits(Tc())[0], 24)
    many = core_bits(Tc())[:-12] + number(4_095, 12) + "0" * 40_000
    national = us_section(2, [*([0] * 9), [0] * 16, [0] * 3, 0, 1, 0, 0], gpc(False))
    return [
        ("tcf: 2,700 single vendors", tc_string(Tc(vendor_consents=singles))),
        ("tcf: the same, descending", tc_string(Tc(vendor_consents=singles[::-1]))),
        ("tcf: 1,400 ranges", tc_string(Tc(vendor_consents=groups))),
        ("tcf: disclosed, 2,700 vendors", tc_string(Tc(disclosed=singles))),
        (
            "tcf: 189 restrictions, 13 vendors",
            tc_string(Tc(restrictions=tuple((*limit, singles[:13]) for limit in limits))),
        ),
        (
            "tcf: one field of 47,000 bits",
            tc_string(Tc(vendor_consents=((1, 47_000),), disclosed=((1, 9),), fields=True)),
        ),
        ("tcf: 4,095 restrictions claimed", text_of(many, 24) + "." + disclosed),
        ("tcf: 8,192 letters", "C" * MAX_CHARS),
        ("gpp: tcf within, 2,700 vendors", gpp_string({2: tc_string(Tc(vendor_consents=singles)), 7: national})),
        ("gpp: header of 8,180 characters", text_of(number(3, 6) + number(1, 6) + number(1, 12) + "0" * 49_000) + "~A"),
        ("gpp: 64 sections", gpp_string({n: national if n == 7 else "A" * 100 for n in range(1, 65)})),
        (
            "gpp: no end of one number",
            text_of(number(3, 6) + number(1, 6) + number(1, 12) + "0" + "10" * 24_000) + "~A",
        ),
        (
            "gpp: one number of a header",
            text_of(number(3, 6) + number(1, 6) + number(1, 12) + "1" + fibonacci(9) * 2) + "~",
        ),
    ]


def _judgement() -> float:
    tc = decode_tcf(
        tc_string(Tc(consents=frozenset(range(1, 12)), vendor_consents=tuple((n, n) for n in range(1, 900, 3))))
    )
    vendor = Vendor(28, frozenset(range(1, 12)))
    assert not isinstance(tc, str)
    return _best(lambda _: judge_vendor(tc, vendor, 2), [""] * 5_000)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
