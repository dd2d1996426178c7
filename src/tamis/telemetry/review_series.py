"""The series about spot checks: how many samples are answered, and how often events are tagged wrongly."""

from functools import partial

from tamis.telemetry.series import Definitions, Label, Series

_defined = Definitions()
_series = partial(_defined.define, "Spot checks", "gauge")
_rule = Label(name="rule", of="rule ids of the configuration, `-` for events without a rule")

REVIEW_SAMPLES = _series("review_samples", "Events sampled for spot checks that are kept.", _rule)
REVIEW_ANSWERS = _series("review_answers", "Samples that somebody answered.", _rule)
REVIEW_ERROR = _series("review_error_ratio", "Share of answered samples that are tagged wrongly.", _rule)
REVIEW_ERROR_HIGH = _series("review_error_high_ratio", "Upper end of the 95 % interval of that share.", _rule)
TAGGING_ERROR = _series("tagging_error_ratio", "Share of all events tagged wrongly, estimated from the answers.")
TAGGING_ERROR_LOW = _series("tagging_error_low_ratio", "Lower end of the 95 % interval of that estimate.")
TAGGING_ERROR_HIGH = _series("tagging_error_high_ratio", "Upper end of the 95 % interval of that estimate.")
TAGGING_TARGET = _series("tagging_error_target_ratio", "The setting `review.target_ratio`.")

REVIEW_SERIES: tuple[Series, ...] = tuple(_defined.made)
