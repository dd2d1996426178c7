"""Names of logs: ``<base>/<log>/p<partition>/e<epoch>``, the origin line of checkpoints and the key name of a log.

Rules: letters, digits and ``._-`` of ASCII alone, so that no two names look alike; the base is the installation's
(``audit.origin``), the log a topic name without prefix, one log for each partition; epochs count from 1 and a log whose
tail was lost goes on only in its next epoch.
"""

import re

import msgspec

from tamis.domain.audit.note import is_key_name

_ORIGIN = re.compile(
    r"(?P<base>[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)/(?P<log>[A-Za-z0-9][A-Za-z0-9._-]*)/p(?P<p>0|[1-9][0-9]{0,5})/e(?P<e>[1-9][0-9]{0,5})"
)


class LogOrigin(msgspec.Struct, frozen=True, order=True):
    """One log.

    Attributes:
        base: of the installation.
        log: topic it is kept in, without prefix.
        partition: of that topic.
        epoch: from 1.
    """

    base: str
    log: str
    partition: int
    epoch: int = 1

    def __str__(self) -> str:
        return f"{self.base}/{self.log}/p{self.partition}/e{self.epoch}"

    @property
    def folder(self) -> str:
        """Where an export keeps it: ``<log>/p<partition>/e<epoch>``."""
        return f"{self.log}/p{self.partition}/e{self.epoch}"

    def at_epoch(self, epoch: int) -> "LogOrigin":
        """The same log in another epoch."""
        return LogOrigin(self.base, self.log, self.partition, epoch)


def parse_origin(text: str) -> LogOrigin:
    """A log's name.

    Raises:
        ValueError: it is not of that form.
    """
    found = _ORIGIN.fullmatch(text)
    if found is None or not is_key_name(text):
        raise ValueError("not the origin of a log: <base>/<log>/p<partition>/e<epoch>")
    return LogOrigin(found["base"], found["log"], int(found["p"]), int(found["e"]))
