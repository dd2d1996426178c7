"""Which bundle a worker runs and what it refused, as series: implements ``RulesObserver`` of the rules watcher.

Rules: called from the watcher's thread; the line of a refused bundle stays until a pointer is followed again.
"""

from tamis.telemetry import catalogue, rules_series
from tamis.telemetry.series import Shelf

_WAITING = "rules_not_loaded"


class RulesTelemetry:
    """The rules of one worker.

    Args:
        shelf: the process's series.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._sequence = shelf[rules_series.RULES_SEQUENCE].of()
        self._refused = shelf[rules_series.RULES_REFUSED]
        self._switches = shelf[rules_series.RULES_SWITCHES].of()
        self._odd = shelf[rules_series.RULES_ODD].of()
        self._gate = shelf[catalogue.GATE].of(_WAITING)

    def waiting(self, *, closed: bool) -> None:
        """Whether this worker has no rules to start with yet."""
        self._gate.set(closed)

    def following(self, seq: int) -> None:
        """See ``RulesObserver.following``."""
        self._sequence.set(seq)
        for part in rules_series.REFUSED_PARTS:
            self._refused.of(part).set(0)

    def refused(self, part: str, line: int) -> None:
        """See ``RulesObserver.refused``."""
        for each in rules_series.REFUSED_PARTS:
            self._refused.of(each).set(line if each == part else 0)

    def odd(self, records: int) -> None:
        """See ``RulesObserver.odd``."""
        self._odd.set(records)

    def switched(self) -> None:
        """The worker went on with another bundle."""
        self._switches.inc()
