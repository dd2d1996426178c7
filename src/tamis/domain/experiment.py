"""Which variant of an experiment an event's person saw.

Rules: only a variant that the rule lists is told, so that nothing else can leave by this way; any other value, and a
missing one, gives no variant: the event then takes part in no experiment.
"""

from collections.abc import Callable

from tamis.domain.event import Event
from tamis.domain.paths import getter, required_path
from tamis.domain.rules import Experiment

Trial = tuple[str, str]
"""Experiment id and variant, both "" for none."""
TrialOf = Callable[[Event], Trial]
NO_TRIAL: Trial = ("", "")


def trial_of(experiment: Experiment) -> TrialOf:
    """The function that finds an event's trial."""
    get = getter(required_path(experiment.path))
    known = {variant: (experiment.id, variant) for variant in experiment.variants}

    def trial(event: Event) -> Trial:
        found = get(event)
        return known.get(found, NO_TRIAL) if type(found) is str else NO_TRIAL

    return trial
