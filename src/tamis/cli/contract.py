"""``tamis contract``: the AsyncAPI document, JSON Schemas and rule pages of a configuration folder.

Rules: a folder with errors gives none, its errors go to standard error; only files of the contract are written.
"""

from pathlib import Path

import click

from tamis.bundles.contract.asyncapi import Layout
from tamis.bundles.contract.files import DOCUMENT, contract_files
from tamis.bundles.load import load_bundle
from tamis.cli.session import FOUND_SOMETHING, Session
from tamis.settings import Settings


def layout_of(settings: Settings) -> Layout:
    """Names and partitions as the settings have them."""
    topics = settings.topics
    partitions = {"raw": topics.raw_partitions, "any": topics.consent_raw_partitions,
                  "metrics": topics.metrics_partitions, "one": 1}  # fmt: skip
    return Layout(prefix=topics.prefix, partitions=partitions)


@click.command("contract")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "target", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write asyncapi.json, schemas/ and rules/ here instead of printing the document.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, folder: Path | None, target: Path | None) -> None:
    """What producers may send and consumers get, from the configuration in FOLDER (default: that of the settings).

    Prints an AsyncAPI 3.0 document (JSON); with --to also JSON Schemas (2020-12) and a page for each rule.
    """
    settings = ctx.ensure_object(Session).settings
    place = folder if folder is not None else Path(settings.rules.folder)
    if not place.is_dir():
        raise click.UsageError(f"there is no folder {place}")
    bundle = load_bundle(place)
    if isinstance(bundle, list):
        for problem in bundle:
            click.echo(str(problem), err=True)
        ctx.exit(FOUND_SOMETHING)
    files = contract_files(bundle, layout_of(settings))
    if target is None:
        click.echo(files[DOCUMENT], nl=False)
        return
    try:
        for name, text in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from None
    click.echo(f"{len(files)} files for bundle {bundle.hash} in {target}")
