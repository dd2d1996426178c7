"""The command ``tamis``: finds commands, loads settings for them, and turns faults into one clear line.

Rules: a command is one file with a click command named ``command`` and one line in ``COMMANDS``; its module is imported
only when it is run or listed, and one that is not there is not listed; what an operator can mend is ``error: ...`` on
standard error without a traceback. Exit codes: 0 done, 1 the check found something, 2 wrong usage or configuration,
75 the cluster is out of reach, 130 interrupted; anything else is a fault, with its traceback.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version

import click

from tamis.cli.session import Session
from tamis.services.parent import die_with_parent
from tamis.settings import SetupError

COMMANDS: Mapping[str, str] = {
    "demo": "tamis.cli.demo",
    "run": "tamis.cli.run",
    "worker": "tamis.cli.worker",
    "replica": "tamis.cli.replica",
    "sealer": "tamis.cli.sealer",
    "topics": "tamis.cli.topics",
    "check": "tamis.cli.check",
    "contract": "tamis.cli.contract",
    "decode": "tamis.cli.decode",
    "rules": "tamis.cli.rules",
    "try": "tamis.cli.try_events",
    "consent": "tamis.cli.consent",
    "privacy": "tamis.cli.privacy",
    "audit": "tamis.cli.audit",
    "explain": "tamis.cli.explain",
    "keys": "tamis.cli.keys",
    "quarantine": "tamis.cli.quarantine",
    "resume": "tamis.cli.resume",
    "review": "tamis.cli.review",
    "settings": "tamis.cli.settings",
    "watch": "tamis.cli.watch",
    "detect": "tamis.cli.detect",
    "bench": "tamis.cli.bench",
}
_INTERRUPTED = 130
_BROKEN_PIPE = 141


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose module exists, in the order of ``COMMANDS``."""
        del ctx
        return [name for name, module in COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        del ctx
        module = COMMANDS.get(cmd_name)
        if module is None or importlib.util.find_spec(module) is None:
            return None
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--settings", "settings_file", metavar="FILE", help="TOML file of settings (or variable TAMIS_SETTINGS).")
@click.version_option(version("tamis"), prog_name="tamis")
@click.pass_context
def tamis(ctx: click.Context, settings_file: str | None) -> None:
    """Sieve behavioural events by consent: clean streams, a verifiable audit log, alerts when tracking breaks."""
    ctx.obj = Session(settings_file)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code; faults that nobody expected keep their traceback."""
    die_with_parent(os.environ)
    try:
        result = tamis.main(args=arguments, prog_name="tamis", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _say(error.format_message() + hint, error.exit_code)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except SetupError as error:
        return _say(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the exit flushes standard output once more
        return _BROKEN_PIPE
    return result if isinstance(result, int) else 0


def _say(message: str, exit_code: int) -> int:
    click.echo(f"error: {message}", err=True)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
