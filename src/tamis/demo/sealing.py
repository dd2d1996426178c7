"""The sealer of the demo: the same one as in production, in a thread of its own.

Rules: it follows the audit logs from their first record, signs, and leaves a folder that anybody can verify with the
public key written beside it; the rules that leaves cite lie in it too. What it finds wrong makes the run fail.
"""

import time
from pathlib import Path

from tamis.demo.thread import GuardedThread
from tamis.domain.audit.note import VerifierKey
from tamis.services.cited_rules import keep_rules
from tamis.services.sealer import Sealer
from tamis.services.sealer_setup import sealer_parts
from tamis.settings import Settings

_QUIET_ROUNDS = 3
_END_S = 30.0


class DemoSealer:
    """Seals from ``start`` to ``stop``.

    Args:
        settings: of the demo.
        vkey_file: where its public key is written.
        rules: canonical text of the rules in force.

    Attributes:
        folder: of the sealed logs.
    """

    def __init__(self, settings: Settings, vkey_file: Path, rules: bytes) -> None:
        self.folder = Path(settings.sealer_path())
        self._parts = sealer_parts(settings)
        self._thread = GuardedThread("sealer", self._seal)
        keep_rules(self.folder, [rules])
        vkey_file.write_text("".join(f"{key}\n" for key in self.keys))

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """What its checkpoints are signed with."""
        return tuple(self._parts.keys().vkeys(self._parts.config.base))

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Seal what is there and end.

        Raises:
            Exception: what made the thread end early.
        """
        self._thread.stop()

    def _seal(self) -> None:
        sealer = Sealer(self._parts.config, self._parts.keys, self._parts.source(), self._parts.publisher())
        try:
            sealer.start()
            sealer.run(self._thread.stopping)
            quiet, deadline = 0, time.monotonic() + _END_S
            while quiet < _QUIET_ROUNDS and time.monotonic() < deadline:
                quiet = 0 if sealer.round(0.2) else quiet + 1
            sealer.seal()
        finally:
            sealer.close()
