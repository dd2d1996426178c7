"""The action ``truncate``: the first characters of a text. Rules: text only; addresses are stripped before the cut."""

from typing import Any

from tamis.domain.minimise.action import Action, Options, Scalar
from tamis.domain.minimise.keep import safe_text


def truncate(options: Options) -> Action:
    """Makes the action; ``chars`` is how many characters stay."""
    chars: int = options["chars"]

    def cut(value: Any) -> Scalar | None:
        if type(value) is not str:
            return None
        text = safe_text(value)
        return text[:chars] if text else None

    return cut
