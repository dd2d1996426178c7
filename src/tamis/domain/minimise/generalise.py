"""The action ``generalise``: a coarser value of a known kind. Rules: the kind names the function, one a file."""

from tamis.domain.minimise.action import Action, Options
from tamis.domain.minimise.ip import network
from tamis.domain.minimise.url import host, page
from tamis.domain.minimise.user_agent import agent_class

KINDS: dict[str, Action] = {
    "ip": network,
    "url": page,
    "referrer": host,
    "user_agent": agent_class,
}


def generalise(options: Options) -> Action:
    """Makes the action; ``as`` is one of ``KINDS``."""
    return KINDS[options["as"]]
