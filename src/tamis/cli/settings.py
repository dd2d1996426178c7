"""``tamis settings``: what is in force and where it came from, the reference page, an example file."""

import click
import orjson
from rich.console import Console
from rich.table import Table

from tamis.cli.session import Session, pass_session
from tamis.settings_reference import markdown, shown, toml_example


@click.group(name="settings")
def command() -> None:
    """Show settings; secrets are never printed."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show(session: Session, as_json: bool) -> None:
    """The settings in force, each with its origin."""
    values = shown(session.loaded)
    if as_json:
        click.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2))
        return
    table = Table("setting", "value", "origin", box=None)
    for name, entry in values.items():
        table.add_row(name, str(entry["value"]), entry["origin"])
    Console(soft_wrap=True, markup=False, highlight=False).print(table)


@command.command()
def reference() -> None:
    """The page docs/configuration.md."""
    click.echo(markdown(), nl=False)


@command.command()
def example() -> None:
    """A TOML file with every setting and its default."""
    click.echo(toml_example(), nl=False)
