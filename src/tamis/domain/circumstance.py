"""What an event says of itself that a decision needs: regulations, age, whether a bot made it, and its signals.

Rules: an event falls under the regulation of its site and of its declared country; both known and different: under
both, and both must allow. A place that is declared and not mapped is unknown, and an unknown place falls under all
regulations. A sender that says the GDPR applies adds the regulations that read TC strings, never removes one. A child
is one by flag or by age; a flag or age that cannot be read is a child's. Equal circumstances are one object with a
small number, kept in a bounded memory, so that decisions can be cached by it.
Not handled here: what the record says (``domain.subject``), the decision (``domain.decide``).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tamis.domain.bots import BotFinder
from tamis.domain.bundle import Policy
from tamis.domain.consent.inline import SILENT, Finding, find
from tamis.domain.consent.regulation import Regulation
from tamis.domain.event import Event, InlineConsent, Signal
from tamis.domain.paths import Getter, getter, required_path
from tamis.domain.sites import OTHER, site_of

ADULT, CHILD, UNKNOWN = "adult", "child", "unknown"
MAX_CACHED = 10_000
MAX_CACHED_CHARS = 4_096
_APPLIES = (Signal.GDPR_APPLIES.value, "1")


class Circumstance(msgspec.Struct, frozen=True):
    """Equal for all events that state the same.

    Attributes:
        id: small number, unique while the policy is in use.
        regulations: all that apply, in order of id; each must allow.
        age: "adult", "child" or "unknown".
        findings: what the signals say, one for each regulation.
        bot: why the event counts as a bot's (``domain.bots.Bot``), "" when it does not.
        reg: ids of the regulations, joined by "+", for the leaf.
    """

    id: int
    regulations: tuple[Regulation, ...]
    age: str
    findings: tuple[Finding, ...]
    reg: str
    bot: str = ""


_Key = tuple[str, str, str, tuple[tuple[str, bool], ...], bool, tuple[tuple[str, str], ...]]


class Circumstances:
    """Finds the circumstance of each event under one policy."""

    __slots__ = (
        "_aliases",
        "_all",
        "_bots",
        "_by_consent",
        "_by_meaning",
        "_by_place",
        "_by_reg",
        "_by_site",
        "_countries",
        "_everywhere",
        "_is_placed",
        "_made",
        "_minors",
        "_named",
        "_paths",
        "_plain",
        "_sites",
        "_tcf",
        "_years",
    )  # fmt: skip

    def __init__(self, policy: Policy) -> None:
        self._aliases = policy.aliases
        self._all = tuple(sorted(policy.judged(), key=lambda regulation: regulation.id))
        self._named: Mapping[str, Regulation] = {regulation.id: regulation for regulation in self._all}
        self._tcf = tuple(regulation for regulation in self._all if regulation.tcf is not None)
        places = policy.places
        self._sites = {site: places.sites[label] for site, label in policy.sites.items() if label in places.sites}
        self._countries = places.countries
        self._paths = _getters(places.country), _getters(places.region)
        self._years = _getters(policy.minors.age), _getters(policy.minors.child)
        self._minors = policy.minors
        self._bots = BotFinder(policy.declared_bots)
        self._is_placed = len(self._all) > 1 and bool(self._sites or places.country)
        self._everywhere = _reg(self._all)
        self._by_reg: dict[str, tuple[Regulation, ...]] = {self._everywhere: self._all}
        self._by_place: dict[tuple[str, ...], str] = {(): self._everywhere}
        self._by_site = {law.id: law.id for law in self._all} | {OTHER: self._everywhere}
        self._by_reg |= {law.id: (law,) for law in self._all}
        self._by_consent: dict[_Key, Circumstance] = {}
        self._by_meaning: dict[tuple[Any, ...], Circumstance] = {}
        self._made = 0
        self._plain: dict[tuple[str, str, str], Circumstance] = {}

    def of(self, event: Event) -> Circumstance:
        """The event's circumstance."""
        reg = self._everywhere
        if self._is_placed:
            reg = self._place(event) if self._paths[0] else self._by_site[site_of(event, self._sites)]
        age = self._age(event) if self._years[0] or self._years[1] else UNKNOWN
        bot, consent = self._bots.of(event), event.consent
        if consent is None:
            known = self._plain.get((reg, age, bot))
            if known is None:
                known = self._new(reg, age, bot, (SILENT,) * len(self._by_reg[reg]))
                self._plain[reg, age, bot] = known
            return known
        key = reg, age, bot, tuple(consent.choices.items()), consent.malformed, consent.signals
        found = self._by_consent.get(key)
        return found if found is not None else self._add(key, consent)

    def _add(self, key: _Key, consent: InlineConsent) -> Circumstance:
        reg, age, bot = key[:3]
        if _APPLIES in consent.signals:
            reg = self._joined({law.id for law in (*self._by_reg[reg], *self._tcf)})
        found = self._new(reg, age, bot, tuple(find(consent, law, self._aliases) for law in self._by_reg[reg]))
        chars = sum(len(category) for category, _ in key[3]) + sum(len(text) for _, text in consent.signals)
        if chars <= MAX_CACHED_CHARS:
            if len(self._by_consent) >= MAX_CACHED:
                self._by_consent.clear()
            self._by_consent[key] = found
        return found

    def _new(self, reg: str, age: str, bot: str, findings: tuple[Finding, ...]) -> Circumstance:
        meaning = (
            reg,
            age,
            bot,
            tuple((f.everything, frozenset(f.refused.items()), f.granted) for f in findings),
        )
        known = self._by_meaning.get(meaning)
        if known is None:
            if len(self._by_meaning) >= MAX_CACHED:
                self._by_meaning.clear()
            known = Circumstance(self._made, self._by_reg[reg], age, findings, reg, bot)
            self._by_meaning[meaning] = known
            self._made += 1
        return known

    def _place(self, event: Event) -> str:
        named = tuple(self._places(event))
        known = self._by_place.get(named)
        if known is None:
            known = self._by_place[named] = self._joined(set(named)) if "" not in named else self._everywhere
        return known

    def _places(self, event: Event) -> Iterator[str]:
        """Regulation ids; "" for a place that is declared and not mapped."""
        if self._sites:
            site = site_of(event, self._sites)
            if site is not OTHER:
                yield site
        countries, regions = self._paths
        for country in filter(None, (fetch(event) for fetch in countries)):
            yield self._country(country, [fetch(event) for fetch in regions])

    def _country(self, country: Any, regions: list[Any]) -> str:
        if not isinstance(country, str):
            return ""
        code = country.strip().upper()
        for region in regions:
            if isinstance(region, str):
                part = region.strip().upper()
                found = self._countries.get(part if part.startswith(f"{code}-") else f"{code}-{part}")
                if found is not None:
                    return found
        return self._countries.get(code, "")

    def _joined(self, ids: set[str]) -> str:
        laws = tuple(law for law in self._all if law.id in ids)
        self._by_reg[_reg(laws)] = laws
        return _reg(laws)

    def _age(self, event: Event) -> str:
        years, flags = self._years
        age = UNKNOWN
        for fetch in flags:
            flag = fetch(event)
            if flag is not None and flag is not False:
                return CHILD
            if flag is False:
                age = ADULT
        for fetch in years:
            number = fetch(event)
            if number is None:
                continue
            if type(number) not in (int, float) or number < self._minors.adult_from:
                return CHILD
            age = ADULT
        return age


def _reg(regulations: tuple[Regulation, ...]) -> str:
    return "+".join(law.id for law in regulations)


def _getters(paths: tuple[str, ...]) -> tuple[Getter, ...]:
    return tuple(getter(required_path(path)) for path in paths)
