"""Whether a command line that stands in a file or a page is one the program has.

Rules: a line is checked by the program's own parser, so a renamed command, option or choice is noticed; nothing is run.
Shell words in capitals (`FILE`, `DIR`) stand for values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tamis.cli.main import tamis

if TYPE_CHECKING:
    from collections.abc import Sequence


def problem(words: Sequence[str]) -> str | None:
    """What is wrong with `tamis <words>`, or None.

    Args:
        words: the command line after the program's name.
    """
    try:
        _parse(tamis, "tamis", list(words), None)
    except click.exceptions.Exit:
        return None  # --help, --version
    except click.ClickException as error:
        return error.format_message()
    return None


def _parse(command: click.Command, name: str, words: list[str], parent: click.Context | None) -> None:
    context = click.Context(command, info_name=name, parent=parent)
    parsed, rest, _ = command.make_parser(context).parse_args(words)
    if not isinstance(command, click.Group):
        _check_arguments(command, parsed, context)
        return
    if not rest:
        return  # a page may speak of the group itself
    child = command.get_command(context, rest[0])
    if child is None:
        raise click.UsageError(f"no command {rest[0]} in {name}")
    _parse(child, rest[0], rest[1:], context)


def _check_arguments(command: click.Command, parsed: dict[str, object], context: click.Context) -> None:
    for parameter in command.params:
        value = parsed.get(parameter.name or "")
        if parameter.required and value is None:
            raise click.MissingParameter(param=parameter, ctx=context)
        if isinstance(parameter.type, (click.Choice, click.IntRange)) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)
