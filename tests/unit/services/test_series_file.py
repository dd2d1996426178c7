"""Strict reading names the line of the first bad row; lenient reading gives one row for each row."""

from __future__ import annotations

import pytest

from tamis.services.series_file import SeriesFile, SeriesFileError, parse_time

GOOD = ["2026-01-05 00:00:00,1", "2026-01-05 00:01:00,2", "2026-01-05 00:02:00,3", "2026-01-05 00:03:00,4"]
ROW = "2026-01-05 00:04:00,5"
BAD = {
    "2026-01-05 00:04:00,x": "line 6: value 'x' is not a finite number",
    "2026-01-05 00:04:00,nan": "line 6: value 'nan' is not a finite number",
    "2026-01-05 00:04:00,1_0": "line 6: value '1_0' is not a finite number",
    "2026-01-05 00:04:00,": "line 6: no value",
    "2026-01-05 00:04:00": "line 6: 1 fields where 2 belong",
    "2026-01-05 00:04:00,1,2": "line 6: 3 fields where 2 belong",
    "2026-01-05 00:03:00,5": "line 6: 2026-01-05 00:03:00 is there twice",
    "2026-01-05 00:01:30,5": "line 6: 2026-01-05 00:01:30 comes after a later time",
    "2026-01-05 00:06:00,5": "line 6: 2 rows missing before 2026-01-05 00:06:00 (interval 60 s)",
    "yesterday,5": "line 6: 'yesterday' is not a timestamp",
    ",5": "line 6: no timestamp",
}


def _file(*rows: str, lenient: bool = False, header: str = "timestamp,value") -> SeriesFile:
    return SeriesFile([f"{line}\n" for line in (header, *rows)], lenient=lenient)


@pytest.mark.parametrize(("row", "message"), BAD.items())
def test_a_bad_row_is_an_error_with_its_line(row: str, message: str) -> None:
    with pytest.raises(SeriesFileError) as error:
        list(_file(*GOOD, row))
    assert str(error.value) == message


@pytest.mark.parametrize("row", BAD)
def test_leniently_every_row_gives_one_row_and_is_counted(row: str) -> None:
    file = _file(*GOOD, row, "2026-01-05 00:07:00,8", lenient=True)
    rows = list(file)
    assert len(rows) == 6
    assert sum(file.faults.values()) >= 1
    assert (rows[5].time, rows[5].value) == (rows[0].time + 420 if rows[0].time else None, 8.0)


def test_the_interval_is_the_most_frequent_step() -> None:
    assert _file(*GOOD, "2026-01-05 00:09:00,5").interval == 60


def test_an_upstream_column_is_read_in_any_place() -> None:
    rows = list(_file("7,2026-01-05T00:00:00Z,1", "8,2026-01-05T00:01:00Z,2", header="upstream,timestamp,value"))
    assert [(row.upstream, row.value) for row in rows] == [(7.0, 1.0), (8.0, 2.0)]


def test_a_wrong_time_far_ahead_does_not_make_the_rest_late() -> None:
    file = _file(*GOOD, "2099-01-01 00:00:00,1", ROW, lenient=True)
    assert [row.time is None for row in file] == [False] * 4 + [True, False]


def test_an_empty_line_is_a_fault_only_within() -> None:
    assert len(list(_file(*GOOD, ""))) == 4
    with pytest.raises(SeriesFileError, match="line 6: an empty line"):
        list(_file(*GOOD, "", ROW))


@pytest.mark.parametrize("header", ["", "time,value", "timestamp,count", "timestamp,value,value"])
def test_a_header_without_the_columns_is_refused(header: str) -> None:
    with pytest.raises(SeriesFileError, match="line 1"):
        _file(*GOOD, header=header)
    with pytest.raises(SeriesFileError, match="line 1"):
        SeriesFile([])


@pytest.mark.parametrize(
    "text",
    ["2026-01-05 00:01:00", "2026-01-05T00:01:00Z", "2026-01-05T02:01:00+02:00", "2026-01-05 00:01:00.25",
     "1767571260", "1767571260000"],
)  # fmt: skip
def test_forms_of_a_timestamp(text: str) -> None:
    assert parse_time(text) == 1767571260


@pytest.mark.parametrize("text", ["", "x", "-5", "1e400", "nan", "2026-13-01 00:00:00", "1_0", "9" * 30])
def test_what_is_no_timestamp(text: str) -> None:
    assert parse_time(text) is None
