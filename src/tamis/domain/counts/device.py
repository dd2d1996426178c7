"""On what kind of device an event was made: a closed vocabulary.

Rules: the user agent decides; without one the kind of device that an SDK states (``context.device.type`` as the
analytics.js specification has it); an event with neither was made by a server or says nothing: ``-``.
Not handled here: client hints; finding crawlers that lie.
"""

from tamis.domain.event import Event
from tamis.domain.minimise.user_agent import MAX_CHARS, agent_class

NO_DEVICE = "-"
DEVICES = (NO_DEVICE, "desktop", "mobile", "tablet", "bot", "other")
_MAX_AGENTS = 4_096
_STATED = {"ios": "mobile", "android": "mobile", "mobile": "mobile", "tablet": "tablet", "desktop": "desktop",
           "macos": "desktop", "windows": "desktop", "browser": "desktop"}  # fmt: skip

_agents: dict[str, str] = {}


def device_of(event: Event) -> str:
    """The device class, out of ``DEVICES``."""
    agent = event.context.get("userAgent")
    if type(agent) is str and agent:
        return _agents.get(agent) or _of_agent(agent)
    device = event.context.get("device")
    stated = device.get("type") if type(device) is dict else None
    return _STATED.get(stated.lower(), "other") if type(stated) is str and stated else NO_DEVICE


def _of_agent(agent: str) -> str:
    words = agent_class(agent) or "other"
    found = words.rpartition(" ")[2]
    if len(agent) <= MAX_CHARS:
        if len(_agents) >= _MAX_AGENTS:
            _agents.clear()
        _agents[agent] = found
    return found
