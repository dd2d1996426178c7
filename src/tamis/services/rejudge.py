"""Re-evaluates leaves under the rules they cite, from canonical texts; each text is compiled once.

Rules: a text must have the hash that the leaf cites; one that this version of tamis cannot compile, and a leaf that was
not decided under it, cannot be re-evaluated, which is said and never taken for agreement.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tamis.bundles.load import compile_source
from tamis.domain.audit.evidence_check import HASH_CHARS
from tamis.domain.bundle import Bundle
from tamis.domain.consent.replay import Replayed, Replayer


class Rejudge:
    """Keeps one replayer for each text."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Bundle, Replayer]] = {}

    def bundle(self, source: bytes) -> Bundle:
        """The rules of a canonical text.

        Raises:
            ValueError: it cannot be compiled.
        """
        return self._compiled(source)[0]

    def replayed(self, leaf: Mapping[str, Any], source: bytes) -> Replayed | None:
        """What the leaf's facts come to under this text; None for an event that was never decided.

        Raises:
            ValueError: that cannot be said; ``ReplayError`` among them.
        """
        if sha256(source).hexdigest()[:HASH_CHARS] != leaf.get("bundle"):
            raise ValueError("these are not the rules that the leaf cites")
        return self._compiled(source)[1].reevaluate(leaf)

    def agrees(self, leaf: Mapping[str, Any], source: bytes) -> bool | None:
        """Whether the facts give the verdict the leaf states; None for an event that was never decided.

        Raises:
            ValueError: that cannot be said.
        """
        found = self.replayed(leaf, source)
        return None if found is None else found.agrees(leaf)

    def _compiled(self, source: bytes) -> tuple[Bundle, Replayer]:
        if source not in self._known:
            bundle = compile_source(source)
            if isinstance(bundle, list):
                raise ValueError(f"the rules cannot be compiled by this version: {bundle[0].message}")
            self._known[source] = bundle, Replayer(bundle)
        return self._known[source]
