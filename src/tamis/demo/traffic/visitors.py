"""Who visits: devices, sign-in names, browsers, networks, and what each person said about consent.

Rules: a returning visitor keeps device, browser and choice; about a third sign in, half of them under an address;
every name, address and network is from a range reserved for examples (RFC 2606, RFC 5737).
"""

from collections.abc import Mapping

import msgspec

from tamis.demo.traffic.dice import Dice
from tamis.demo.traffic.sites import Site

PURPOSES = ("functional", "analytics", "marketing")
Choice = Mapping[str, bool]

_EVERYTHING: Choice = {"functional": True, "analytics": True, "marketing": True}
_STATISTICS: Choice = {"functional": True, "analytics": True, "marketing": False}
_NOTHING: Choice = {"functional": True, "analytics": False, "marketing": False}
_ANSWERS: tuple[tuple[Choice | None, float], ...] = (
    (_EVERYTHING, 60.0), (_STATISTICS, 14.0), (_NOTHING, 20.0), (None, 6.0),
)  # fmt: skip
_SIGNALS = (("none", 60.0), ("same", 36.0), ("less", 3.5), ("unreadable", 0.5))
_SIGNED_IN = 0.35
_GIVEN = ("ana", "bela", "chloe", "dario", "emma", "farid", "greta", "hugo", "ines", "jonas", "klara", "liam")
_FAMILY = ("arnaud", "bianchi", "costa", "dubois", "ek", "fischer", "garcia", "horvat", "ivanov", "jansen", "keller")
_MAIL = ("example.com", "example.org", "example.net")
_NETWORKS = ("203.0.113", "198.51.100", "192.0.2")
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
_BROWSERS = (
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36", 4.0),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Safari/605.1.15", 2.0),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", 1.0),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_SAFARI} Mobile/15E148 Safari/604.1", 3.0),
    (f"Mozilla/5.0 (Linux; Android 16; Pixel 9) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36", 3.0),
)


class Visitor(msgspec.Struct, kw_only=True):
    """One person at one device.

    Attributes:
        device: anonymous id.
        person: user id, None until signed in.
        choice: purpose -> yes or no, None until the banner was answered.
    """

    device: str
    person: str | None
    choice: Choice | None
    browser: str
    network: str
    locale: str


def visitor(dice: Dice, site: Site, number: int) -> Visitor:
    """Somebody new to the site, with the answer they will give at the banner."""
    return Visitor(
        device=dice.uuid(),
        person=_sign_in_name(dice, number) if dice.happens(_SIGNED_IN) else None,
        choice=dice.weighted(_ANSWERS),
        browser=dice.weighted(_BROWSERS),
        network=f"{dice.choice(_NETWORKS)}.{dice.randrange(1, 255)}",
        locale=dice.weighted(site.locales),
    )


def inline_signal(dice: Dice, who: Visitor) -> Choice | str | None:
    """What the events of one visit say about consent: mostly nothing or what is known, rarely less, rarely nonsense."""
    kind = dice.weighted(_SIGNALS)
    if who.choice is None or kind == "none":
        return None
    return {"same": who.choice, "less": _NOTHING}.get(kind, "all")


def nobody(who: Visitor) -> Visitor:
    """The same visitor as a page with a broken tag reports them: ids that name nobody."""
    return msgspec.structs.replace(who, device="00000000-0000-0000-0000-000000000000", person="undefined")


def other_choice(dice: Dice, now: Choice | None) -> Choice:
    """What somebody chooses who opens the settings: mostly less, sometimes everything."""
    options = [choice for choice in (_NOTHING, _NOTHING, _STATISTICS, _EVERYTHING) if choice != now]
    return dice.choice(options)


def _sign_in_name(dice: Dice, number: int) -> str:
    if dice.happens(1 / 2):
        return f"u-{10_000 + number}"
    return f"{dice.choice(_GIVEN)}.{dice.choice(_FAMILY)}{number}@{dice.choice(_MAIL)}"
