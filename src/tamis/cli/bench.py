"""``tamis bench``: what an event costs on the cluster of the settings, beside references in the same run."""

from typing import TYPE_CHECKING

import click
import msgspec

from tamis.cli.session import Session, pass_session
from tamis.settings import SetupError

if TYPE_CHECKING:
    from tamis.demo.bench.run import BenchResult


@click.command("bench")
@click.option("--events", "count", default=1_000_000, show_default=True, help="Events of the input.")
@click.option(
    "--guarantee", type=click.Choice(["exactly_once", "at_least_once"]), help="Of the worker; default: the settings'."
)
@click.option("--no-references", is_flag=True, help="Only tamis: no bare loop, plain loop or stock Faust.")
@click.option("--no-latency", is_flag=True, help="Leave out the latency at half load.")
@click.option("--json", "as_json", is_flag=True, help="The last line is one JSON object.")
@pass_session
def command(
    session: Session, count: int, guarantee: str | None, no_references: bool, no_latency: bool, as_json: bool
) -> None:
    """Measure CPU, throughput, memory and latency on a real Kafka.

    Topics with a prefix of their own are made and left behind. Progress goes to standard error.
    """
    from tamis.demo.bench.measure import BenchError
    from tamis.demo.bench.run import run_bench

    settings = session.settings
    if guarantee is not None:
        settings = msgspec.structs.replace(
            settings, worker=msgspec.structs.replace(settings.worker, guarantee=guarantee)
        )
    try:
        result = run_bench(
            settings, count, with_references=not no_references, with_latency=not no_latency,
            say=lambda text: click.echo(text, err=True),
        )  # fmt: skip
    except BenchError as error:
        raise SetupError(str(error)) from None
    click.echo(_table(result))
    if as_json:
        click.echo(msgspec.json.encode(result).decode())


def _table(result: "BenchResult") -> str:
    from tamis.demo.bench.steps import rows

    stock = next((row for row in result.rows if row.name.startswith("stock")), None)
    head = (
        f"{'program':<20}{'events':>10}{'events/s':>10}{'CPU-s/M':>9}{'with start':>11}{'private MB':>11}{'x stock':>9}"
    )
    lines = [f"{result.guarantee}, {result.event_bytes} bytes an event", "", head]
    for row in result.rows:
        ratio = f"{stock.cpu_s_per_million / row.cpu_s_per_million:>9.1f}" if stock else f"{'':>9}"
        lines.append(
            f"{row.name:<20}{row.events:>10,}{row.events_per_s:>10,.0f}{row.cpu_s_per_million:>9.1f}"
            f"{row.cpu_s_per_million_with_start:>11.1f}{row.private_mb:>11.0f}{ratio}"
        )
    if result.latency:
        late = result.latency
        lines += [
            "",
            f"latency at {late.events_per_s:,.0f} events/s: p50 {late.p50_ms:.0f} ms, p99 {late.p99_ms:.0f} ms",
        ]
        lines += [f"  longest {late.max_ms:.0f} ms; the worker took {late.worker_cpu:.0%} of a processor"]
    return "\n".join([*lines, "", "the intake step alone, µs of CPU an event:", *rows(result.steps)])
