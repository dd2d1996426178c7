"""What the signals inside one event say under one regulation.

Rules: a no anywhere is a no; only an explicit yes is a yes, and a default is nobody's. What cannot be read, and a
section that is not supported, refuses everything under the regulations it speaks to: TC strings to those where
silence is no, US Privacy and the US sections of GPP to those where silence is yes or opt-outs are read, Consent Mode
to those that map it; a GPP string without a readable header, and a section nobody knows, to all. A known child
without consent is a child. A consent tool's word for the whole choice refuses everything unless it is a known yes.
Not handled here: which regulation applies (``domain.circumstance``), what a yes or no is worth (``consent.judge``).
"""

from collections.abc import Iterable, Mapping

import msgspec

from tamis.domain.consent.regulation import Regulation, TcfReading
from tamis.domain.consent.strings.consent_mode import ConsentMode, decode_gcd, decode_gcs
from tamis.domain.consent.strings.consent_mode import Signal as Mode
from tamis.domain.consent.strings.flaw import Malformed, Unsupported
from tamis.domain.consent.strings.gpp import TCF_SECTION, USP_SECTION, Body, decode_gpp
from tamis.domain.consent.strings.tcf import TcString, decode_tcf
from tamis.domain.consent.strings.tcf_judgement import judge_publisher, judge_vendor
from tamis.domain.consent.strings.us import UsSection
from tamis.domain.consent.strings.us_layouts import LAYOUTS
from tamis.domain.consent.strings.us_signals import Choice, UsChoices, choices_of, choices_of_usp
from tamis.domain.consent.strings.usp import UspString, decode_usp
from tamis.domain.event import InlineConsent, Signal
from tamis.domain.outcome import Reason

_TCF_V1, _CANADA = 1, 5
_US = frozenset((USP_SECTION, *LAYOUTS))
_SPECIAL = frozenset((3, 4))  # header and signature
_GPC = ("sale", "share", "targeted_advertising")
_ADS = "ad_personalization"
_YES_STATES = frozenset(("allow_all", "allow_selected"))
_NO = frozenset((Mode.DENIED, Mode.DENIED_BY_DEFAULT, Mode.UNKNOWN))


class Finding(msgspec.Struct, frozen=True):
    """What the signals of an event say under one regulation.

    Attributes:
        everything: why nothing is allowed at all, None without such a reason.
        refused: purpose -> why.
        granted: purposes with a yes and no refusal.
    """

    everything: Reason | None = None
    refused: Mapping[str, Reason] = {}
    granted: frozenset[str] = frozenset()

    def refusal(self, purpose: str) -> Reason | None:
        """Why ``purpose`` is refused, None when it is not."""
        return self.everything or self.refused.get(purpose)


SILENT = Finding()


def find(consent: InlineConsent, regulation: Regulation, aliases: Mapping[str, str]) -> Finding:
    """Reads all signals of an event.

    Args:
        consent: choices by the vendor's category, and signals as sent.
        regulation: judged under.
        aliases: vendor category -> canonical purpose.
    """
    found = _Gathered(regulation)
    if consent.malformed:
        found.everything(Reason.INLINE_MALFORMED)
    for category, granted in consent.choices.items():
        purpose = aliases.get(category)
        if purpose is not None:
            found.say(purpose, yes=granted is True)
    for kind, text in consent.signals:
        reader = _READERS.get(kind)
        if reader is not None:
            reader(found, text)
    return found.finding()


class _Gathered:
    """Collects what single signals say; the first reason for refusing everything or a purpose stays."""

    __slots__ = ("_all", "_no", "_yes", "regulation")

    def __init__(self, regulation: Regulation) -> None:
        self.regulation = regulation
        self._all: Reason | None = None
        self._no: dict[str, Reason] = {}
        self._yes: set[str] = set()

    def everything(self, reason: Reason) -> None:
        self._all = self._all or reason

    def say(self, purpose: str, *, yes: bool) -> None:
        if yes:
            self._yes.add(purpose)
        else:
            self._no.setdefault(purpose, Reason.INLINE_DENIED)

    def opt_out(self, kinds: Iterable[str]) -> None:
        for kind in kinds:
            for purpose in self.regulation.opt_outs.get(kind, ()):
                self._no.setdefault(purpose, Reason.OPTED_OUT)

    @property
    def reads_us(self) -> bool:
        return self.regulation.silence or bool(self.regulation.opt_outs)

    def finding(self) -> Finding:
        if self._all is None and not self._no and not self._yes:
            return SILENT
        return Finding(self._all, self._no, frozenset() if self._all else frozenset(self._yes.difference(self._no)))


def _tcf(found: _Gathered, text: str) -> None:
    if found.regulation.tcf is not None or not found.regulation.silence:
        _tc(found, decode_tcf(text))


def _tc(found: _Gathered, tc: TcString | Malformed) -> None:
    reading = found.regulation.tcf
    if isinstance(tc, Malformed):
        found.everything(Reason.INLINE_MALFORMED)
    elif reading is not None:
        for purpose, needed in reading.purposes.items():
            found.say(purpose, yes=all(_permitted(tc, reading, number) for number in needed))


def _permitted(tc: TcString, reading: TcfReading, purpose: int) -> bool:
    if reading.vendor is None:
        return judge_publisher(tc, purpose, core=reading.core).permitted
    return judge_vendor(tc, reading.vendor, purpose).permitted


def _gpp(found: _Gathered, text: str) -> None:
    gpp = decode_gpp(text)
    if isinstance(gpp, Malformed):
        found.everything(Reason.INLINE_MALFORMED)
        return
    for section, body in gpp.sections.items():
        if _concerns(found, section):
            _section(found, body)


def _concerns(found: _Gathered, section: int) -> bool:
    wanted, regulation = found.regulation.gpp_sections, found.regulation
    if section in wanted:
        return True
    if section in _US:
        return found.reads_us and not wanted
    if section in (TCF_SECTION, _TCF_V1):
        return regulation.tcf is not None or not regulation.silence
    return section != _CANADA and section not in _SPECIAL


def _section(found: _Gathered, body: Body) -> None:
    if isinstance(body, Malformed):
        found.everything(Reason.INLINE_MALFORMED)
    elif isinstance(body, Unsupported):
        found.everything(Reason.INLINE_UNSUPPORTED)
    elif isinstance(body, TcString):
        _tc(found, body)
    else:
        _us(found, choices_of(body) if isinstance(body, UsSection) else choices_of_usp(body))


def _us(found: _Gathered, said: UsChoices) -> None:
    if said.known_child is Choice.REFUSED:
        found.everything(Reason.CHILD)
    choices = (said.sale, said.share, said.targeted_advertising, said.sensitive)
    kinds = ("sale", "share", "targeted_advertising", "sensitive")
    found.opt_out(kind for kind, choice in zip(kinds, choices, strict=True) if choice is Choice.REFUSED)


def _usp(found: _Gathered, text: str) -> None:
    if not found.reads_us:
        return
    usp: UspString | Malformed = decode_usp(text)
    if isinstance(usp, Malformed):
        found.everything(Reason.INLINE_MALFORMED)
    else:
        _us(found, choices_of_usp(usp))


def _gpc(found: _Gathered, text: str) -> None:
    if text == "1":
        found.opt_out(_GPC)


def _sale(found: _Gathered, text: str) -> None:
    if text != "0":
        found.opt_out(("sale", "share"))


def _gcs(found: _Gathered, text: str) -> None:
    if found.regulation.consent_mode:
        _mode(found, decode_gcs(text))


def _gcd(found: _Gathered, text: str) -> None:
    if found.regulation.consent_mode:
        _mode(found, decode_gcd(text))


def _mode(found: _Gathered, mode: ConsentMode | Malformed) -> None:
    if isinstance(mode, Malformed):
        found.everything(Reason.INLINE_MALFORMED)
        return
    for purpose, types in found.regulation.consent_mode.items():
        said = {mode.get(name) for name in types}
        if said & _NO:
            found.say(purpose, yes=False)
        elif said == {Mode.GRANTED}:
            found.say(purpose, yes=True)


def _npa(found: _Gathered, text: str) -> None:
    if text == "0":
        return
    found.opt_out(("targeted_advertising",))
    for purpose, types in found.regulation.consent_mode.items():
        if _ADS in types:
            found.say(purpose, yes=False)


def _state(found: _Gathered, text: str) -> None:
    if text not in _YES_STATES:
        found.everything(Reason.INLINE_DENIED)


_READERS = {
    Signal.TCF.value: _tcf,
    Signal.GPP.value: _gpp,
    Signal.USP.value: _usp,
    Signal.GPC.value: _gpc,
    Signal.SALE_OPT_OUT.value: _sale,
    Signal.GCS.value: _gcs,
    Signal.GCD.value: _gcd,
    Signal.NPA.value: _npa,
    Signal.STATE.value: _state,
}
