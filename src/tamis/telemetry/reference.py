"""The page docs/metrics.md, made from the catalogue."""

from collections.abc import Iterable

from tamis.telemetry.catalogue import CATALOGUE
from tamis.telemetry.series import Label, Series

_INTRO = """# Metrics

*Generated from `src/tamis/telemetry/catalogue.py` by `make docs`; a test keeps this page equal to it.*

Each process shows its series at `http://<telemetry.host>:<telemetry.port>/metrics`; port 0, the default, switches that
off. Under `tamis run` the replica gets the port of the settings and each worker the next one. A series is there in the
processes that have something to say on it: intake series in workers with the intake role, replica series in
`tamis replica`. The usual `process_*` series (CPU, memory, start time) are there too.

Rules of all series: counters move after the commit, so they count what is in Kafka; all labels come from closed sets,
and a value outside its set is counted as `other`; nothing a sender writes can be seen here or make a new series. Ages
and lags are computed when they are scraped, so what stands still is seen to stand still. A counter begins at 0 when its
process starts: use `rate` and `increase`.

Dashboards are in `deploy/grafana/dashboards`, alert rules in `deploy/prometheus/rules.yml`, what to do when one fires
in [runbooks](runbooks).
"""


def markdown() -> str:
    """The page."""
    parts = [_INTRO]
    for area in dict.fromkeys(series.area for series in CATALOGUE):
        parts.append(f"## {area}\n\n| series | kind | labels | meaning |\n|---|---|---|---|")
        parts += [_row(series) for series in CATALOGUE if series.area == area]
        parts.append("")
    parts += ["## Labels\n\n| label | of | values |\n|---|---|---|", *_labels(CATALOGUE), ""]
    parts.append(_BUCKETS)
    parts.append(", ".join(f"{bound:g}" for bound in next(s.buckets for s in CATALOGUE if s.buckets)) + "\n")
    return "\n".join(parts)


_BUCKETS = "## Buckets\n\nUpper bounds of the histograms, in seconds:"


def _row(series: Series) -> str:
    labels = ", ".join(f"`{label.name}`" for label in series.labels)
    return f"| `{series.name}` | {series.kind} | {labels} | {series.help} |"


def _labels(catalogue: Iterable[Series]) -> list[str]:
    found: dict[tuple[str, str], tuple[Label, list[str]]] = {}
    for series in catalogue:
        for label in series.labels:
            found.setdefault((label.name, label.of), (label, []))[1].append(series.name)
    return [_label_row(label, users) for label, users in found.values()]


def _label_row(label: Label, users: list[str]) -> str:
    values = (
        ", ".join(f"`{value}`" for value in label.values) if label.values is not None else "set by the configuration"
    )
    shown = f" (`{users[0]}`)" if len(users) == 1 else ""
    return f"| `{label.name}`{shown} | {label.of} | {values} |"
