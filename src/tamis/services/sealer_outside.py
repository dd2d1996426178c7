"""From settings to the sealer's witnesses and anchors, and how they follow it.

Rules: without a policy file nobody is asked to witness, without addresses of authorities nothing is anchored; a witness
in the policy without an address cannot be asked and is refused; wrong files are found at the start.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tamis.domain.audit.policy import PolicyError, WitnessPolicy, parse_policy
from tamis.domain.audit.proof import Node
from tamis.domain.audit.report import Check
from tamis.domain.audit.timestamp import TimestampError, trusted_certificates
from tamis.services.anchoring import Anchoring, AnchorObserver
from tamis.services.cosigning import Cosigning, WitnessObserver
from tamis.services.http_post import check_url
from tamis.services.sealer import Sealer
from tamis.services.stamping import Stamper
from tamis.services.witness_client import WitnessClient
from tamis.services.witnessing import Pace, Witnessing
from tamis.settings import SetupError
from tamis.settings_audit import SealerSettings
from tamis.stores.tile_folder import TileFolder


class OutsideObserver(WitnessObserver, AnchorObserver, Protocol):
    """Told of witnesses and anchors."""


class Outside:
    """What the settings say of witnesses and authorities, checked.

    Args:
        settings: of the sealer.

    Raises:
        SetupError: a file is missing or cannot be used, or an address is none.
    """

    def __init__(self, settings: SealerSettings) -> None:
        self._settings = settings
        self._policy = _policy(settings.witness_policy) if settings.witness_policy else None
        self._stamper = _stamper(settings) if settings.tsa_urls.split() else None
        self._stops: list[Callable[[], None]] = []

    def follow(self, sealer: Sealer, observer: OutsideObserver, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask about whatever this sealer signs; call it before the sealer starts."""
        timeout_s = self._settings.outside_timeout_s
        if self._policy is not None:
            asks = {each.name: WitnessClient(each, timeout_s).ask for each in self._policy.witnesses}
            pace = Pace(interval_s=self._settings.witness_interval_s)
            cosigning = Cosigning(
                sealer.root, Witnessing(self._policy, asks, pace, clock), _nodes, sealer.witnessed,
                lambda origin, why: sealer.refuse(origin, Check.WITNESS, why), clock, observer,
            )  # fmt: skip
            sealer.on_checkpoint.append(cosigning.offered)
            sealer.on_round.append(cosigning.step)
            self._stops.append(cosigning.stop)
        if self._stamper is not None:
            interval_s = self._settings.anchor_interval_s
            anchoring = Anchoring(sealer.root, self._stamper.stamp, interval_s, clock, observer)
            sealer.on_round.append(anchoring.step)

    def stop(self) -> None:
        """End the threads."""
        for stop in self._stops:
            stop()


def _nodes(folder: Path, size: int) -> Node:
    return TileFolder(folder).nodes(size)


def _policy(name: str) -> WitnessPolicy:
    try:
        policy = parse_policy(Path(name).read_text(encoding="utf-8"))
        for each in policy.witnesses:
            check_url(each.url)
    except OSError as error:
        raise SetupError(f"{name}: {error.strerror}") from None
    except PolicyError as error:
        raise SetupError(f"{name}: {error}") from None
    except ValueError as error:
        raise SetupError(f"{name}: a witness without an address that can be asked: {error}") from None
    if not policy.witnesses:
        raise SetupError(f"{name}: there is no witness in it")
    return policy


def _stamper(settings: SealerSettings) -> Stamper:
    name = settings.tsa_certificates
    try:
        trusted = trusted_certificates(Path(name).read_bytes())
        return Stamper(settings.tsa_urls.split(), trusted, settings.outside_timeout_s)
    except OSError as error:
        raise SetupError(f"{name}: {error.strerror}") from None
    except TimestampError as error:
        raise SetupError(f"{name}: {error}") from None
    except ValueError as error:
        raise SetupError(f"sealer.tsa_urls: {error}") from None
