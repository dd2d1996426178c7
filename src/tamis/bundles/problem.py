"""What is wrong with a configuration, as a value: file, line, and a sentence for whoever wrote it.

Rules: an error makes the whole bundle unusable, a warning does not; lines and columns count from 1.
"""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """One finding.

    Attributes:
        file: relative to the configuration folder.
        line: from 1.
        column: from 1, None when the whole line or file is meant.
        message: one sentence.
        severity: see ``Severity``.
    """

    file: str
    line: int
    column: int | None
    message: str
    severity: Severity = Severity.ERROR

    @property
    def part(self) -> str:
        """Which part of a bundle it is in: "rules", "destinations", "policy" or "bundle", whatever the file's name."""
        name = self.file.partition("/")[0].removesuffix(".yaml")
        return name if name in ("rules", "destinations", "policy") else "bundle"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")
        return f"{place}: {self.severity}: {self.message}"


def errors(problems: list[Problem]) -> list[Problem]:
    """Only those that make a bundle unusable."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
