"""`tamis consent decode`: one object a string in order, streamed, with exit codes a script can use."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from typing import Any

import pytest

from tamis.cli.consent import command
from tamis.cli.lines import lines_of
from tamis.cli.main import main

TCF = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"


def _run(*arguments: str, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]]]:
    code = "import sys; from tamis.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "consent", "decode", *arguments], input=stdin, capture_output=True, check=False
    )
    assert done.stderr == b""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_strings_as_arguments_in_order() -> None:
    code, found = _run("1YNN", TCF, "DBABTA~1YYN", "G110", "11p1p1p1p5")
    assert code == 0
    assert [(line["valid"], line["format"]) for line in found] == [
        (True, "usp"), (True, "tcf"), (True, "gpp"), (True, "gcs"), (True, "gcd"),
    ]  # fmt: skip
    assert found[0] == {
        "valid": True, "format": "usp", "usp_string": "1YNN",
        "Version": 1, "Notice": "Y", "OptOutSale": "N", "LspaCovered": "N",
    }  # fmt: skip
    assert (found[1]["tc_string"], found[1]["vendor_consents"]) == (TCF, [[1, 4]])
    assert found[2]["sections"]["uspv1"]["OptOutSale"] == "Y"
    assert (found[3]["ad_storage"], found[3]["analytics_storage"]) == ("granted", "denied")


def test_lines_of_standard_input_each_with_its_answer() -> None:
    lines = [b"1YNN\r", TCF.encode(), b"", b"\xff\xfe", TCF[:24].encode(), b"C" * 100_000, b"G101"]
    code, found = _run(stdin=b"\n".join(lines))
    assert code == 1
    assert [line["valid"] for line in found] == [True, True, False, False, False, False, True]
    assert [line.get("error") for line in found[2:6]] == [
        "empty",
        "no consent string format begins like this",
        "core: ends inside a field",
        "longer than 8192 characters",
    ]
    assert all(set(line) == {"valid", "error"} for line in found[2:6])


def test_a_stated_format_holds_for_all() -> None:
    code, found = _run("--format", "tcf", TCF, "1YNN")
    assert (code, [line["valid"] for line in found]) == (1, [True, False])


def test_a_broken_section_makes_a_gpp_string_invalid_and_an_unread_one_is_named() -> None:
    assert _run("DBABBg~BAYA") == (1, [{"valid": False, "error": "usca: ends inside a field"}])
    code, found = _run("DBABjw~x~1YNN")
    assert (code, found[0]["section_ids"], found[0]["unsupported_section_ids"]) == (0, [5, 6], [5])
    assert set(found[0]["sections"]) == {"uspv1"}


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--nope"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["consent", "decode", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_no_strings_at_all_is_no_mistake() -> None:
    assert _run(stdin=b"") == (0, [])


def test_answers_do_not_wait_for_the_end_of_the_input() -> None:
    code = "import sys; from tamis.cli.main import main; sys.exit(main(['consent', 'decode', '-']))"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in (b"G111\n", b"1YNN\n"):
            process.stdin.write(text)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["valid"] is True
        process.stdin.close()
        assert process.wait(30) == 0


def test_the_group_has_decode() -> None:
    assert "decode" in command.commands  # type: ignore[attr-defined]


class _Trickle(BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def read1(self, size: int | None = -1, /) -> bytes:
        del size
        return super().read1(3)


@pytest.mark.parametrize("kind", [BytesIO, _Trickle])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\n\r\nb\r\n", [b"a", b"", b"b"]),
        (b"12345\n123456\n1234567\n12345678901\nx", [b"12345", b"123456", b"123456", b"123456", b"x"]),
        (b"12345\r\n", [b"12345"]),
        (b"12345678901", [b"123456"]),
    ],
)
def test_lines_are_cut_not_joined(kind: type[BytesIO], text: bytes, lines: list[bytes]) -> None:
    assert list(lines_of(kind(text), 5)) == lines
