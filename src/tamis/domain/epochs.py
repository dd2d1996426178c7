"""Which epochs of pseudonyms there are and what each is still good for.

Rules: events leave under the current epoch; while an overlap runs they also name the pseudonym of the epoch before, so
that a destination can carry its records over. A destination may hold records of any epoch whose key is held: a
withdrawal must reach all of them (``live``), also those whose keys were revoked. Time is an argument.
"""

import msgspec


class Epochs(msgspec.Struct, frozen=True):
    """The epochs of an installation.

    Attributes:
        current: what leaves now is named under it.
        previous: the epoch before; "" when nothing is named under it any more.
        overlap_until: records received before this (ms) name the pseudonym of ``previous`` too.
        older: all other epochs whose keys are held, newest first, ``previous`` among them.
    """

    current: str
    previous: str = ""
    overlap_until: int = 0
    older: tuple[str, ...] = ()

    @property
    def live(self) -> tuple[str, ...]:
        """All epochs under which a destination may hold a person's records, newest first."""
        return (self.current, *self.older)
