"""The long fuzz of envelopes: ``python -m tests.chaos.envelopes [--count N] [--seed N]``.

Damages at least 100,000 requests of all vendors; exit code 1 when one of them makes decoding fail.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from typing import TYPE_CHECKING

from tests.support.envelope_fuzz import broken, vendors

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 100_000
SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Damage requests and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.envelopes")
    parser.add_argument("--count", type=int, default=COUNT, help="damaged requests")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    problems = list(islice(broken(chosen.seed, chosen.count), SHOWN))
    for problem in problems:
        print(problem)
    print(f"requests of {len(vendors())} vendors: {chosen.count:,} damaged, {len(problems) or 'none'} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
