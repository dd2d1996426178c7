"""The long fuzz of consent payloads and events: ``python -m tests.chaos.payloads [--count N] [--seed N]``.

Damages at least 100,000 consent payloads of all sources and as many requests of all vendors; exit code 1 when one of
them lets out more than its original.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from typing import TYPE_CHECKING

from tests.support.payload_fuzz import consents_widened, events_widened

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 100_000
SHOWN = 20
PARTS = (("consent payloads", consents_widened), ("events", events_widened))


def main(arguments: Sequence[str] | None = None) -> int:
    """Damage payloads and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.payloads")
    parser.add_argument("--count", type=int, default=COUNT, help="damaged payloads of each kind")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    found = 0
    for kind, widened in PARTS:
        problems = list(islice(widened(chosen.seed, chosen.count), SHOWN))
        for problem in problems:
            print(problem)
        print(f"{kind}: {chosen.count:,} damaged, {len(problems) or 'none'} wider than the original")
        found += len(problems)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
