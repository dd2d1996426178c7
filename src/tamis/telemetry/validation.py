"""What producers sent wrong, and what bots sent, as series.

Rules: called once a batch, after its commit. From its ``OWN_AFTER``-th violation on a producer has a label value of its
own, as long as there are fewer than ``MOST_PRODUCERS`` of them; the others are ``other``, so no sender can make series
at will. Of producers without one only so many are counted as fit into a bounded table; the least counted goes first.
"""

from collections import Counter
from collections.abc import Mapping

from tamis.domain.bots import BotAction
from tamis.domain.noted import Noted
from tamis.domain.tally import NO_RULE
from tamis.telemetry.series import Shelf, Vocabulary
from tamis.telemetry.validation_series import BOT_EVENTS, VIOLATIONS

MOST_PRODUCERS = 50
OWN_AFTER = 10
MOST_CANDIDATES = 500


class ValidationTelemetry:
    """The validation of one process.

    Args:
        shelf: the process's series.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._violations = shelf[VIOLATIONS]
        self._bots = shelf[BOT_EVENTS]
        self._named: set[str] = set()
        self._candidates: Counter[str] = Counter()

    def decided(self, violations: Mapping[Noted, int], bots: Mapping[tuple[str, bool], int]) -> None:
        """A batch is committed: ``Emissions.violations`` and ``Emissions.bots``."""
        for noted, n in violations.items():
            self._weigh(noted.producer, n)
            rule = noted.rule or NO_RULE
            self._violations.of(rule, noted.kind, noted.severity, noted.producer, noted.site).inc(n)
        for (why, denied), n in bots.items():
            self._bots.of(why, BotAction.DENY.value if denied else BotAction.MARK.value).inc(n)

    def _weigh(self, producer: str, n: int) -> None:
        if producer in self._named or len(self._named) >= MOST_PRODUCERS:
            return
        self._candidates[producer] += n
        if self._candidates[producer] >= OWN_AFTER:
            del self._candidates[producer]
            self._named.add(producer)
            self._shelf.extend(Vocabulary(producer=frozenset([producer])))
        elif len(self._candidates) > MOST_CANDIDATES:
            del self._candidates[min(self._candidates, key=self._candidates.__getitem__)]
