"""The key provider that the settings name; a provider is one file and one branch here."""

import os
from pathlib import Path

from tamis.keys.environment import read_environment_keys
from tamis.keys.file import read_key_file
from tamis.keys.ring import KeyRing
from tamis.keys.watched import WatchedKeys
from tamis.settings import Settings


def watch_keys(settings: Settings) -> WatchedKeys | None:
    """The keys of a worker that follow their file; None where they come from the environment.

    Raises:
        SetupError: there are none, or they are unusable.
    """
    if settings.keys.provider == "environment":
        return None
    return WatchedKeys(Path(settings.keys_path()), lambda: open_keys(settings))


def open_keys(settings: Settings) -> KeyRing:
    """The keys of this process.

    Raises:
        SetupError: there are none, or they are unusable.
    """
    insecure_dev = settings.keys.insecure_dev
    if settings.keys.provider == "environment":
        return read_environment_keys(os.environ, insecure_dev=insecure_dev)
    return read_key_file(Path(settings.keys_path()), insecure_dev=insecure_dev)
