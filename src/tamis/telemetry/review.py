"""What spot checks say, as series: told by the watcher of ``review.samples`` and ``review.labels``.

Rules: without an answer there is no sample of an error: nothing is better than a 0 that nobody looked for.
"""

from tamis.domain.tagging_error import UNTAGGED, Report
from tamis.domain.tally import NO_RULE
from tamis.telemetry import review_series
from tamis.telemetry.series import Shelf


class ReviewTelemetry:
    """The spot checks as one process knows them.

    Args:
        shelf: the process's series.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def reported(self, report: Report) -> None:
        """What all answers so far say."""
        shelf = self._shelf
        for each in report.strata:
            rule = NO_RULE if each.rule == UNTAGGED else each.rule
            shelf[review_series.REVIEW_SAMPLES].of(rule).set(each.samples)
            shelf[review_series.REVIEW_ANSWERS].of(rule).set(each.answers)
            if each.error is not None:
                shelf[review_series.REVIEW_ERROR].of(rule).set(each.error.share)
                shelf[review_series.REVIEW_ERROR_HIGH].of(rule).set(each.error.high)
        shelf[review_series.TAGGING_TARGET].of().set(report.target)
        if report.error is not None:
            shelf[review_series.TAGGING_ERROR].of().set(report.error.share)
            shelf[review_series.TAGGING_ERROR_LOW].of().set(report.error.low)
            shelf[review_series.TAGGING_ERROR_HIGH].of().set(report.error.high)
