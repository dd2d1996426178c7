"""``tamis detect``: one row out for each row in, an outage told once, and clear errors."""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING

from tamis.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

START = 1_767_571_200


def _counts(minutes: range, quiet: range = range(0), seed: int = 3) -> list[str]:
    rng = random.Random(seed)
    rows = ["timestamp,value,upstream"]
    for minute in minutes:
        upstream = 0 if minute in quiet else max(0, round(rng.gauss(90, 9)))
        rows.append(f"{START + 60 * minute},{round(upstream / 3)},{upstream}")
    return rows


def _run(tmp_path: Path, rows: list[str], *options: str) -> tuple[int, list[dict[str, str]]]:
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n")
    code = main(["detect", "--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv"), *options])
    if not (tmp_path / "out.csv").exists():
        return code, []
    with (tmp_path / "out.csv").open() as file:
        return code, list(csv.DictReader(file))


def test_an_outage_is_told_once_with_its_first_row(tmp_path: Path) -> None:
    rows = _counts(range(2_000), range(1_700, 1_730))
    code, out = _run(tmp_path, rows)
    assert code == 0
    assert [(row["timestamp"], row["value"]) for row in out] == [tuple(row.split(",")[:2]) for row in rows[1:]]
    alerts = [i for i, row in enumerate(out) if row["alert"] == "1"]
    assert len(alerts) == 1
    assert 1_700 <= alerts[0] <= 1_703
    assert all(0.0 <= float(row["score"]) <= 1.0 for row in out)


def test_history_takes_the_place_of_waiting(tmp_path: Path) -> None:
    (tmp_path / "past.csv").write_text("\n".join(_counts(range(2_000))) + "\n")
    rows = _counts(range(2_000, 2_040), range(2_010, 2_030), seed=4)
    assert not any(row["alert"] == "1" for row in _run(tmp_path, rows)[1])
    code, out = _run(tmp_path, rows, "--history", str(tmp_path / "past.csv"))
    assert code == 0
    assert next(i for i, row in enumerate(out) if row["alert"] == "1") <= 13


def test_a_bad_row_is_one_line_of_error_and_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = _counts(range(50))
    rows[20] = "x,1,2"
    assert _run(tmp_path, rows) == (2, [])
    assert capsys.readouterr().err == f"error: {tmp_path}/in.csv: line 21: 'x' is not a timestamp\n"
    code, out = _run(tmp_path, rows, "--lenient", "--json")
    assert (code, len(out)) == (0, 50)
    assert json.loads(capsys.readouterr().err)["faults"] == {"missing row": 1, "timestamp": 1}


def test_files_and_options_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--input", str(tmp_path / "none.csv"), "--output", "-"]) == 2
    assert _run(tmp_path, _counts(range(5)), "--interval", "soon")[0] == 2
    (tmp_path / "in.csv").write_bytes(b"\xff\xfe\x00")
    assert main(["detect", "--input", str(tmp_path / "in.csv"), "--output", "-"]) == 2
    assert capsys.readouterr().err.count("error: ") == 3


def test_the_picture_shows_the_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "out.svg"
    code, out = _run(tmp_path, _counts(range(400), range(300, 330)), "--plot", str(picture))
    assert code == 0
    assert picture.read_text().count('class="alert"') == sum(row["alert"] == "1" for row in out) == 1
    assert _run(tmp_path, _counts(range(400)), "--plot", str(tmp_path / "out.png"))[0] == 2
    assert ".svg" in capsys.readouterr().err


def test_nothing_by_the_expected_time_is_an_alert_until_something_comes(tmp_path: Path) -> None:
    rows = ["timestamp,value"]
    for minute in range(0, 3 * 1_440, 15):
        came = (minute % 1_440 == 7 * 60 and minute < 2 * 1_440) or minute == 2 * 1_440 + 11 * 60
        rows.append(f"{START - START % 86_400 + 60 * minute},{int(came)}")
    code, out = _run(tmp_path, rows, "--expected-by", "09:30", "--time-zone", "Europe/Berlin")
    assert code == 0
    late = [i for i, row in enumerate(out) if float(row["score"]) == 1.0]
    assert [15 * i - 2 * 1_440 for i in late] == list(range(8 * 60 + 30, 11 * 60, 15))
    assert out[late[0]]["alert"] == "1"
    assert not any(out[i]["alert"] == "1" for i in late[1:])


def test_times_and_zones_that_do_not_exist_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path, _counts(range(50)), "--expected-by", "25:00")[0] == 2
    assert _run(tmp_path, _counts(range(50)), "--expected-by", "09:00", "--time-zone", "Mars/Olympus")[0] == 2
    error = capsys.readouterr().err
    assert "25:00" in error
    assert "Mars/Olympus" in error
