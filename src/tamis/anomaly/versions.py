"""Versions of stored states: one that another version of the program wrote is refused, never guessed at."""


def check_version(found: int, known: int, what: str) -> None:
    """Nothing when they are the same.

    Raises:
        ValueError: a state of another version.
    """
    if found != known:
        raise ValueError(f"{what} of version {found}, this is version {known}")
