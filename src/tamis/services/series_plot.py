"""A judged series as a picture (SVG): value with its healthy band, score with its threshold, alerts.

Rules: a picture has at most ``COLUMNS`` columns whatever the length of the series; a column shows the lowest and the
highest value, the highest score and every alert in it, so that no peak is lost; nothing but numbers and times is drawn.
"""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from math import ceil, inf, isfinite, nan
from typing import NamedTuple

WIDTH, LEFT, RIGHT = 1_200, 70, 15
VALUE_TOP, VALUE_BOTTOM, SCORE_TOP, SCORE_BOTTOM, HEIGHT = 40, 330, 360, 450, 480
COLUMNS = WIDTH - LEFT - RIGHT
TICKS = 6
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.band{fill:#9ecae1;opacity:.5}.value{stroke:#08519c;fill:none}"
    ".score{stroke:#7a5195;fill:none}.axis{stroke:#999}.threshold{stroke:#d95f02;stroke-dasharray:4 3}"
    ".alert{stroke:#d62728;stroke-width:1.5}"
)


class _Column(NamedTuple):
    """What one pixel column shows; nan where nothing is known."""

    low: float
    high: float
    band_low: float
    band_high: float
    score: float


class SeriesPlot:
    """Collects rows and draws them."""

    def __init__(self) -> None:
        self._times, self._alerts = array("q"), array("q")
        self._values, self._lows, self._highs, self._scores = array("d"), array("d"), array("d"), array("d")

    def add(
        self, time: int, value: float | None, band: tuple[float, float] | None, score: float, *, alert: bool
    ) -> None:
        """Add one row.

        Args:
            time: epoch seconds.
            value: None when missing.
            band: healthy range, None when unknown; its end may be infinite.
            score: 0..1.
            alert: whether a new incident begins here.
        """
        if alert:
            self._alerts.append(len(self._times))
        self._times.append(time)
        self._values.append(nan if value is None else value)
        low, high = band or (nan, nan)
        self._lows.append(low)
        self._highs.append(high)
        self._scores.append(score)

    def svg(self, title: str) -> str:
        """The picture, a whole SVG document."""
        columns, per = self._columns()
        values = [x for c in columns for x in (c.low, c.high, c.band_low) if isfinite(x)]
        bottom, top = min(values, default=0.0), max(values, default=1.0)
        tops = sorted(c.band_high for c in columns if isfinite(c.band_high))
        if tops:
            top = max(top, min(tops[len(tops) // 2], 2 * top - bottom))
        scale = Scale(bottom, top if top > bottom else bottom + 1.0)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{LEFT}" y="20">{escape(title)}</text>',
            *self._axes(scale, per),
            f'<path class="band" d="{_band(columns, scale)}"/>',
            f'<path class="value" d="{_strokes(columns, scale)}"/>',
            f'<path class="score" d="{_scores(columns)}"/>',
            *self._marks(per),
            "</svg>\n",
        ]
        return "\n".join(parts)

    def _columns(self) -> tuple[list[_Column], int]:
        n = len(self._times)
        per = max(1, ceil(n / COLUMNS))
        return [self._column(start, min(n, start + per)) for start in range(0, n, per)], per

    def _column(self, start: int, end: int) -> _Column:
        values = [x for x in self._values[start:end] if isfinite(x)]
        lows = [x for x in self._lows[start:end] if isfinite(x)]
        highs = [x for x in self._highs[start:end] if x == x]  # noqa: PLR0124 -- infinite is known, nan is not
        return _Column(
            min(values, default=nan), max(values, default=nan), min(lows, default=nan), max(highs, default=nan),
            max(self._scores[start:end]),
        )  # fmt: skip

    def _axes(self, scale: "Scale", per: int) -> Iterator[str]:
        right = WIDTH - RIGHT
        for y, text in ((VALUE_BOTTOM, f"{scale.bottom:.6g}"), (VALUE_TOP, f"{scale.top:.6g}"),
                        (SCORE_BOTTOM, "0"), (SCORE_TOP, "score 1")):  # fmt: skip
            yield f'<line class="axis" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{text}</text>'
        middle = (SCORE_TOP + SCORE_BOTTOM) / 2
        yield f'<line class="threshold" x1="{LEFT}" y1="{middle}" x2="{right}" y2="{middle}"/>'
        if not self._times:
            return
        for tick in range(TICKS):
            at = round(tick * (len(self._times) - 1) / (TICKS - 1))
            anchor = "start" if tick == 0 else "end" if tick == TICKS - 1 else "middle"
            x, text = LEFT + at / per, _clock(self._times[at])
            yield f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{text}</text>'

    def _marks(self, per: int) -> Iterator[str]:
        for at in self._alerts:
            x, score = LEFT + at / per, self._scores[at]
            yield (
                f'<line class="alert" x1="{x:.1f}" y1="{VALUE_TOP}" x2="{x:.1f}" y2="{SCORE_BOTTOM}">'
                f"<title>{_clock(self._times[at])}: value {self._values[at]:.6g}, score {score:.2f}</title></line>"
            )


class Scale(NamedTuple):
    """Values to heights."""

    bottom: float
    top: float

    def y(self, value: float) -> float:
        """Height of a value; beyond the ends it is the end."""
        share = (max(self.bottom, min(self.top, value)) - self.bottom) / (self.top - self.bottom)
        return VALUE_BOTTOM - share * (VALUE_BOTTOM - VALUE_TOP)


def _clock(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def _strokes(columns: list[_Column], scale: Scale) -> str:
    parts, gap = [], True
    for i, column in enumerate(columns):
        if not isfinite(column.low):
            gap = True
            continue
        x, low, high = LEFT + i, scale.y(column.low), scale.y(column.high)
        parts.append(f"{'M' if gap else 'L'}{x} {low:.1f}" + (f"L{x} {high:.1f}" if high != low else ""))
        gap = False
    return "".join(parts)


def _scores(columns: list[_Column]) -> str:
    height = SCORE_BOTTOM - SCORE_TOP
    return "".join(
        f"{'L' if i else 'M'}{LEFT + i} {SCORE_BOTTOM - height * column.score:.1f}" for i, column in enumerate(columns)
    )


def _band(columns: list[_Column], scale: Scale) -> str:
    """One closed shape for each stretch in which the band is known."""
    shapes, stretch = list[str](), list[tuple[int, float, float]]()
    for i, column in enumerate([*columns, _Column(nan, nan, nan, nan, 0.0)]):
        if isfinite(column.band_low):
            stretch.append((LEFT + i, scale.y(column.band_low), scale.y(min(column.band_high, inf))))
        elif stretch:
            there = "L".join(f"{x} {high:.1f}" for x, _, high in stretch)
            back = "L".join(f"{x} {low:.1f}" for x, low, _ in reversed(stretch))
            shapes.append(f"M{there}L{back}Z")
            stretch = []
    return "".join(shapes)
