"""What US consent strings say, in one vocabulary: the opt-outs of a GPP section or a US Privacy string.

Rules: 1 = opted out or no consent, 2 = did not opt out or consents, 0 = not applicable; of several values the refusal
wins; a field the section does not have is not applicable. GPC opts out of sale, sharing and targeted advertising,
whatever the fields say; so does a missing GPC segment where the section has one, because a string that was cut off
there cannot be told from one that never had it. Likewise no segment of consent to sensitive data is no consent; and
``usnat`` 1 in its shorter layout without GPC refuses sensitive data, children and additional processing, because it may
be the beginning of the longer one. The notice fields change nothing: "did not opt out" stays what it is.
A US Privacy string's opt-out of sale covers sharing too, which did not have a word of its own when it was made.
Source: IAB Tech Lab GPP section specifications, value tables; 11 CCR 7025 (GPC); US Privacy String v1.
"""

from enum import StrEnum

import msgspec

from tamis.domain.consent.strings.us import UsSection
from tamis.domain.consent.strings.us_layouts import CHILD, LAYOUTS, SENSITIVE, SENSITIVE_CATEGORIES
from tamis.domain.consent.strings.usp import UspString


class Choice(StrEnum):
    """What the person chose about one kind of processing."""

    NOT_APPLICABLE = "not_applicable"
    REFUSED = "refused"
    ACCEPTED = "accepted"


class UsChoices(msgspec.Struct, frozen=True, gc=False):
    """The choices in one section.

    Attributes:
        sale, share, targeted_advertising: opt-outs; REFUSED = opted out, GPC included.
        sensitive: of all categories of sensitive data the strictest.
        sensitive_categories: each category, in the order of the section's table.
        known_child: of all ages the strictest; NOT_APPLICABLE = not known to be a child.
        additional_processing: processing beyond what was disclosed.
        gpc: the Global Privacy Control bit; None when the string does not say.
    """

    sale: Choice
    share: Choice
    targeted_advertising: Choice
    sensitive: Choice = Choice.NOT_APPLICABLE
    sensitive_categories: tuple[Choice, ...] = ()
    known_child: Choice = Choice.NOT_APPLICABLE
    additional_processing: Choice = Choice.NOT_APPLICABLE
    gpc: bool | None = None


_OF_VALUE = (Choice.NOT_APPLICABLE, Choice.REFUSED, Choice.ACCEPTED)
_NO_CONSENT = (1,)
_SHORTER = LAYOUTS[7][1]
_OF_LETTER = {"-": Choice.NOT_APPLICABLE, "Y": Choice.REFUSED, "N": Choice.ACCEPTED}


def choices_of(section: UsSection, *, no_gpc_segment_is_no_gpc: bool = False) -> UsChoices:
    """The choices of a GPP section.

    Args:
        section: the section.
        no_gpc_segment_is_no_gpc: for a source known to leave the GPC segment out when there is no GPC; a string cut off
            before it then opts out of nothing.
    """
    sensitive = section.sensitive if section.sensitive is not None else section.get(SENSITIVE)
    if not sensitive and section.layout.sensitive:
        sensitive = _NO_CONSENT * SENSITIVE_CATEGORIES
    known_child = section.get(CHILD)
    additional = section.get("PersonalDataConsents") + section.get("AdditionalDataProcessingConsent")
    if section.layout is _SHORTER and section.gpc is None:
        sensitive, known_child, additional = _NO_CONSENT * len(sensitive), _NO_CONSENT, _NO_CONSENT
    gpc = section.gpc is True or (section.gpc is None and section.layout.gpc and not no_gpc_segment_is_no_gpc)
    return UsChoices(
        sale=_opt_out(section, "SaleOptOut", gpc),
        share=_opt_out(section, "SharingOptOut", gpc),
        targeted_advertising=_opt_out(section, "TargetedAdvertisingOptOut", gpc),
        sensitive=_strictest(sensitive),
        sensitive_categories=tuple(_OF_VALUE[value] for value in sensitive),
        known_child=_strictest(known_child),
        additional_processing=_strictest(additional),
        gpc=section.gpc,
    )


def choices_of_usp(usp: UspString) -> UsChoices:
    """The choices of a US Privacy string."""
    sale = _OF_LETTER[usp.opt_out_sale]
    return UsChoices(sale=sale, share=sale, targeted_advertising=Choice.NOT_APPLICABLE)


def _strictest(values: tuple[int, ...]) -> Choice:
    if 1 in values:
        return Choice.REFUSED
    return Choice.ACCEPTED if 2 in values else Choice.NOT_APPLICABLE  # noqa: PLR2004 - see the table above


def _opt_out(section: UsSection, field: str, gpc: bool) -> Choice:
    return Choice.REFUSED if gpc else _strictest(section.get(field))
