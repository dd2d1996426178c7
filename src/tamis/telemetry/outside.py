"""The sealer's witnesses and anchors as series and log lines.

Implements ``WitnessObserver`` of ``services.cosigning`` and ``AnchorObserver`` of ``services.anchoring``.
"""

import time
from collections.abc import Callable

import structlog

from tamis.domain.audit.witness import Answer, Conflict, Cosigned, Unavailable
from tamis.telemetry import catalogue
from tamis.telemetry.series import Shelf


class OutsideTelemetry:
    """Everybody outside whom the sealer asks.

    Args:
        shelf: the process's series.
        clock: seconds that only go forward.
    """

    def __init__(self, shelf: Shelf, clock: Callable[[], float] = time.monotonic) -> None:
        self._answers = shelf[catalogue.WITNESS_ANSWERS]
        self._unwitnessed = shelf[catalogue.UNWITNESSED].of()
        self._anchors = shelf[catalogue.ANCHORS]
        self._unanchored = shelf[catalogue.UNANCHORED].of()
        self._clock = clock
        self._failing_since: float | None = None
        self._said: dict[str, str] = {}
        self._say = structlog.get_logger("tamis.sealer")

    def answered(self, witness: str, answer: Answer) -> None:
        """See ``WitnessObserver.answered``; a witness in the same trouble as before is not told of again."""
        word = _word(answer)
        self._answers.of(word).inc()
        if self._said.get(witness, "cosigned") != word:
            self._say.warning("witness", witness=witness, answer=word)
        self._said[witness] = word

    def unwitnessed(self, seconds: float) -> None:
        """See ``WitnessObserver.unwitnessed``."""
        self._unwitnessed.set(seconds)

    def anchored(self, number: int) -> None:
        """See ``AnchorObserver.anchored``."""
        self._anchors.of("stamped").inc()
        self._unanchored.set(0)
        self._failing_since = None
        self._say.info("anchored", anchor=number)

    def not_anchored(self, why: str) -> None:
        """See ``AnchorObserver.not_anchored``."""
        now = self._clock()
        self._failing_since = now if self._failing_since is None else self._failing_since
        self._anchors.of("failed").inc()
        self._unanchored.set(now - self._failing_since)
        self._say.warning("not anchored", why=why)


def _word(answer: Answer) -> str:
    if isinstance(answer, Unavailable):
        return answer.trouble
    if isinstance(answer, Conflict):
        return answer.split
    assert isinstance(answer, Cosigned)  # a client asks again when it is behind
    return "cosigned"
