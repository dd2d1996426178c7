"""The picture of a judged series: well-formed whatever the numbers are, small, and no alert lost."""

from __future__ import annotations

from math import inf
from xml.etree import ElementTree as ET

from tamis.services.series_plot import COLUMNS, SeriesPlot

SVG = "{http://www.w3.org/2000/svg}"


def _drawn(plot: SeriesPlot, title: str = "t") -> ET.Element:
    return ET.fromstring(plot.svg(title))


def _lines(root: ET.Element, kind: str) -> list[ET.Element]:
    return [each for each in root.iter() if each.get("class") == kind]


def test_every_alert_is_drawn_with_its_time() -> None:
    plot = SeriesPlot()
    for i in range(10_000):
        plot.add(60 * i, float(i % 50), (10.0, 40.0), 0.9 if i in {5, 7_000} else 0.1, alert=i in {5, 7_000})
    root = _drawn(plot)
    assert [line[0].text for line in _lines(root, "alert")] == [
        "1970-01-01 00:05: value 5, score 0.90",
        "1970-01-05 20:40: value 0, score 0.90",
    ]
    assert len(_lines(root, "band")) == 1
    assert len(plot.svg("t")) < 100 * COLUMNS


def test_a_peak_of_one_row_is_not_lost() -> None:
    plot = SeriesPlot()
    for i in range(50_000):
        plot.add(60 * i, 1_000.0 if i == 31_234 else 1.0, None, 0.0, alert=False)
    strokes = _lines(_drawn(plot), "value")[0].get("d") or ""
    assert " 40.0" in strokes


def test_nothing_missing_and_constant_values_and_odd_titles_are_drawn() -> None:
    empty, gaps, flat = SeriesPlot(), SeriesPlot(), SeriesPlot()
    for i in range(10):
        gaps.add(60 * i, None if i % 2 else 3.0, (1.0, inf), 0.0, alert=False)
        flat.add(60 * i, 3.0, None, 1.0, alert=False)
    for plot in (empty, gaps, flat):
        root = _drawn(plot, 'a <b> & "c"')
        title = root.find(f"{SVG}title")
        assert title is not None
        assert title.text == 'a <b> & "c"'
        assert "nan" not in plot.svg("t")
        assert "inf" not in plot.svg("t")
