"""The long fuzz of consent strings: ``python -m tests.chaos.consent_strings [--count N] [--seed N]``.

Breaks at least 100,000 valid strings; exit code 1 when one of them permits more than its original.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from typing import TYPE_CHECKING

from tests.support.consent_string_fuzz import widened

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 100_000
SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Break strings and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.consent_strings")
    parser.add_argument("--count", type=int, default=COUNT, help="broken strings")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    problems = list(islice(widened(chosen.seed, chosen.count), SHOWN))
    for problem in problems:
        print(problem)
    print(f"consent strings: {chosen.count:,} broken, {len(problems) or 'none'} wider than the original")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
