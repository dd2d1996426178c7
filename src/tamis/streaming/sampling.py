"""What chooses events for spot checks, from the settings."""

from tamis.domain.sampling import Sampler, SamplingPolicy
from tamis.intake import Intake
from tamis.ports import KeyProvider
from tamis.records.samples import SampledDispatch
from tamis.settings import Settings, SetupError
from tamis.settings_review import ReviewSettings


def sampled(intake: Intake, settings: Settings, keys: KeyProvider) -> Intake:
    """The same core, which also samples as the settings say.

    Raises:
        SetupError: the rates of single rules cannot be read.
    """
    policy = sampling_policy(settings.review)
    if policy.tagged or policy.untagged or policy.rules:
        sampler = Sampler(intake.bundle, policy, keys.derive("review"))
        intake.dispatch = SampledDispatch(intake.bundle, intake.keys, sampler)
    return intake


def sampling_policy(review: ReviewSettings) -> SamplingPolicy:
    """The policy the settings ask for.

    Raises:
        SetupError: the rates of single rules cannot be read.
    """
    rules: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in review.rules.split(","))):
        rule, _, rate = part.partition("=")
        if not rule or not rate.isascii() or not rate.isdecimal() or int(rate) > 1_000_000:  # noqa: PLR2004 - a million
            raise SetupError(f"review.rules: {part} is not rule_id=per_million")
        rules[rule] = int(rate)
    return SamplingPolicy(
        tagged=review.tagged_per_million, untagged=review.untagged_per_million, rules=rules, fields_of=review.fields_of
    )
