"""Makes what reads ``consent.raw`` under the settings: one consent tool or all, and the mappings."""

from pathlib import Path

from tamis.bundles.mappings import load_mappings
from tamis.consent_sources.mapped import MappedSource
from tamis.consent_sources.registry import ConsentReader
from tamis.settings import Settings, SetupError


def consent_reader(settings: Settings) -> ConsentReader:
    """Reads ``consent.raw`` as the settings say.

    Raises:
        SetupError: the mappings cannot be used, or there is no such source.
    """
    mapped: tuple[MappedSource, ...] = ()
    if settings.consent.mappings:
        path = Path(settings.consent.mappings)
        try:
            found = load_mappings(path)
        except OSError as error:
            raise SetupError(f"consent.mappings: {path}: {error.strerror}") from None
        if isinstance(found, list):
            raise SetupError("\n".join([f"{path} cannot be used:", *(f"  {problem}" for problem in found)]))
        mapped = found
    try:
        return ConsentReader(settings.consent.source or None, mapped)
    except ValueError as error:
        raise SetupError(f"consent.source: {error}") from None
