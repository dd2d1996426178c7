"""Choices out of consent strings, for sources that carry one: as categories that the policy gives a meaning.

Rules: a TC string gives ``tcf.1`` to ``tcf.11``, granted when the string's core permits the purpose on consent
(publisher segments are left empty by most consent tools); a US Privacy string and the sections of a GPP string give
``us.sale``, ``us.share`` and ``us.targeted_advertising``; a European section of a GPP string gives the TCF categories.
What cannot be read, or is not supported, refuses all categories of its kind. An opt-out that does not apply says
nothing.
Not handled here: vendors, legitimate interest (they are judged per destination, from the event's own string).
"""

from tamis.domain.consent.model import Status, keep_all
from tamis.domain.consent.strings.gpp import GppString, decode_gpp
from tamis.domain.consent.strings.tcf import TcString, decode_tcf
from tamis.domain.consent.strings.tcf_judgement import judge_publisher
from tamis.domain.consent.strings.us import UsSection
from tamis.domain.consent.strings.us_signals import Choice, UsChoices, choices_of, choices_of_usp
from tamis.domain.consent.strings.usp import UspString, decode_usp

US_CATEGORIES = ("us.sale", "us.share", "us.targeted_advertising")
PURPOSES = 11
_NO_TC = {f"tcf.{purpose}": Status.DENIED for purpose in range(1, PURPOSES + 1)}
_NO_US = dict.fromkeys(US_CATEGORIES, Status.DENIED)


def of_tcf(text: str) -> dict[str, Status]:
    """Categories of a TC string."""
    return _of_tc(decode_tcf(text))


def of_usp(text: str) -> dict[str, Status]:
    """Categories of a US Privacy string."""
    found = decode_usp(text)
    return _of_us(choices_of_usp(found)) if isinstance(found, UspString) else dict(_NO_US)


def of_gpp(text: str) -> dict[str, Status]:
    """Categories of a GPP string; of several sections the strictest."""
    found = decode_gpp(text)
    if not isinstance(found, GppString):
        return _NO_TC | _NO_US
    choices: dict[str, Status] = {}
    for section in found.sections.values():
        if isinstance(section, TcString):
            stated = _of_tc(section)
        elif isinstance(section, UspString):
            stated = _of_us(choices_of_usp(section))
        elif isinstance(section, UsSection):
            stated = _of_us(choices_of(section))
        else:
            stated = _NO_TC | _NO_US
        keep_all(choices, stated)
    return choices


def _of_tc(found: object) -> dict[str, Status]:
    if not isinstance(found, TcString):
        return dict(_NO_TC)
    return {f"tcf.{number}": _purpose(found, number) for number in range(1, PURPOSES + 1)}


def _purpose(found: TcString, number: int) -> Status:
    return Status.GRANTED if judge_publisher(found, number, core=True).permitted else Status.DENIED


def _of_us(said: UsChoices) -> dict[str, Status]:
    stated = zip(US_CATEGORIES, (said.sale, said.share, said.targeted_advertising), strict=True)
    return {
        category: Status.GRANTED if choice is Choice.ACCEPTED else Status.DENIED
        for category, choice in stated
        if choice is not Choice.NOT_APPLICABLE
    }
