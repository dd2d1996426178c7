"""What every command shares: the settings, loaded once and only when asked for, and the words for a finding.

Rules: a command that needs no settings works with broken ones; ``Finding`` is how a check says it found something.
"""

from functools import cached_property

import click

from tamis.settings import Settings
from tamis.settings_loader import LoadedSettings, load_settings

FOUND_SOMETHING = 1


class Session:
    """One invocation of the command line.

    Args:
        settings_file: what ``--settings`` named, if it was given.
    """

    def __init__(self, settings_file: str | None = None) -> None:
        self.settings_file = settings_file

    @cached_property
    def loaded(self) -> LoadedSettings:
        """Settings with their origins; raises ``SettingsError`` with all problems."""
        return load_settings(self.settings_file)

    @property
    def settings(self) -> Settings:
        """The settings; raises ``SettingsError`` with all problems."""
        return self.loaded.settings


class Finding(click.ClickException):
    """A check ran and found something: exit code 1, the message on standard error."""

    exit_code = FOUND_SOMETHING


pass_session = click.make_pass_decorator(Session)
