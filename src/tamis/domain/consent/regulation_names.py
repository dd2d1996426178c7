"""Under which of the policy's regulations a statement is filed that calls its law by another name.

Rules: a name of the policy is itself; then come the words the policy lists for a regulation; then the names one law has
(the CPRA amends the CCPA; the laws of the States share the opt-out), where exactly one regulation of the policy is
among them. Where several are, and where nobody knows the name, a refusal holds under all that may be meant and a grant
under none. Names of other laws are kept apart and not judged. Case and separators do not matter. Pure.
"""

import re
from collections.abc import Iterable

import msgspec

from tamis.domain.consent.regulation import Regulation

_SEPARATORS = re.compile(r"[^a-z0-9]+")

# Each State whose law has the opt-out: its code, and what its law is called.
_STATES = {
    "ca": "ccpa cpra california", "va": "vcdpa", "co": "cpa", "ut": "ucpa", "ct": "ctdpa", "fl": "fdbr", "mt": "mcdpa",
    "or": "ocpa", "tx": "tdpsa", "de": "dpdpa", "ia": "icdpa", "ne": "ndpa", "nh": "nhpa", "nj": "njdpa", "tn": "tipa",
    "mn": "mncdpa", "md": "modpa", "in": "incdpa", "ky": "kcdpa", "ri": "ridtppa",
}  # fmt: skip
_UNITED_STATES = frozenset(
    ["us", "usa", "usp", "usprivacy", "us_privacy", "usnat", "us_national", "mspa", "ccpa_cpra", "cpra_ccpa"]
    + [name for code, laws in _STATES.items() for name in (f"us{code}", f"us_{code}", *laws.split())]
)
# Names of one law, or of laws that one opt-out serves; consent tools and their documentation use these.
_SAME = (
    frozenset(("gdpr", "eu_gdpr", "eugdpr", "gdpr_eu", "rgpd", "dsgvo", "ds_gvo", "avg", "eea")),
    frozenset(("uk_gdpr", "ukgdpr", "gdpr_uk", "uk", "dpa2018")),
    _UNITED_STATES,
    frozenset(("lgpd", "br")),
    frozenset(("law25", "law_25", "quebec", "loi25", "loi_25")),
    frozenset(("pipeda",)),
    frozenset(("fadp", "ndsg", "nfadp", "revfadp")),
    frozenset(("eprivacy",)),
)
# The name under which a law that the policy does not judge is kept.
_KEPT = ("gdpr", "uk_gdpr", "us_privacy", "lgpd", "law25", "pipeda", "fadp", "eprivacy", "ccpa")


class Filed(msgspec.Struct, frozen=True):
    """Where a statement goes.

    Attributes:
        grants: regulations under which its grants are recorded.
        refusals: the same for its refusals; ``grants`` are among them.
    """

    grants: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether it is clear which law was meant."""
        return bool(self.grants)


class RegulationNames:
    """The names known under one policy.

    Args:
        laws: its regulations.
    """

    __slots__ = ("_aliases", "_laws")

    def __init__(self, laws: Iterable[Regulation]) -> None:
        laws = tuple(laws)
        self._laws = tuple(law.id for law in laws)
        self._aliases = {plain(alias): law.id for law in laws for alias in law.aliases}

    def file(self, name: str) -> Filed:
        """Where a statement under ``name`` is filed."""
        key = plain(name)
        found = key if key in self._laws else self._aliases.get(key)
        if found is not None:
            return Filed((found,), (found,))
        group = next((names for names in _SAME if key in names), None)
        if group is None:
            return Filed((), self._laws)
        judged = tuple(law for law in self._laws if law in group)
        if len(judged) > 1:
            return Filed((), judged)
        kept = judged or (key if key in _KEPT else next(word for word in _KEPT if word in group),)
        return Filed(kept, kept)


def plain(name: str) -> str:
    """A name in small letters, with one underscore between its parts."""
    return _SEPARATORS.sub("_", name.lower()).strip("_")
