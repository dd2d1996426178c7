"""A worker with the consent role alone, to be started, killed and started again by tests.

Run as ``python -m tests.support.consent_worker '{...}'``; the argument is a ``ConsentJob`` as JSON.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from tamis.consent_sources.keying import Keying
from tamis.consent_sources.normalise import Door, Normaliser
from tamis.consent_sources.privacy import RequestKeying, RequestReader
from tamis.consent_sources.registry import ConsentReader
from tamis.domain.audit.requests import enrolment_key
from tamis.domain.bundle import Bundle, Destination, Policy
from tamis.domain.consent.retraction import Retractor
from tamis.domain.identity import SubjectKeys
from tamis.domain.keyed import base64url
from tamis.domain.quarantine import QuarantineSealer
from tamis.domain.rules import RuleSet
from tamis.kafka.partitioner import partition_of
from tamis.streaming.agents.consent import ConsentConfig, register_consent_agents
from tamis.streaming.agents.privacy import register_privacy_agent
from tamis.streaming.app import EdgeTuning, Guarantee, make_app
from tamis.streaming.run import run_apps

KEYS = SubjectKeys(b"k" * 32)
POLICY = Policy(
    purposes=("analytics", "marketing"),
    aliases={"analytics": "analytics", "marketing": "marketing", "Analytics": "analytics", "Advertising": "marketing"},
)
RAW_PARTITIONS = 2
DESTINATIONS = tuple(
    Destination(id=name, topic=f"crm.{name}", purposes=(purpose,), project=lambda _: {}, field_names=())
    for name, purpose in (("hubspot", "marketing"), ("clean", "analytics"))
)
BUNDLE = Bundle(hash="", rules=RuleSet(()), destinations=DESTINATIONS, policy=POLICY)
ENROLMENT = enrolment_key(b"e" * 32)


def pseudonyms(domain: str, salt: bytes, key: str) -> tuple[str, ...]:
    """One epoch; a pseudonym shows what it was made of."""
    return (f"v1.{domain}.1.{key}.{base64url(salt)}",)


class ConsentJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker does.

    Attributes:
        prefix: of topic names and consumer group.
        bootstrap: broker addresses.
        guarantee: exactly_once or at_least_once.
        worker: number of this worker.
        partitions: of ``consent.changes`` and what follows it.
        empty_every_s: see ``ConsentConfig``.
        requests: also take in ``privacy.requests``.
    """

    prefix: str
    bootstrap: str
    guarantee: Guarantee = "exactly_once"
    worker: str = "0"
    partitions: int = 4
    empty_every_s: float = 0.5
    requests: bool = False

    def topics(self) -> dict[str, int]:
        """The topics it needs, with their partition counts."""
        p = self.partitions
        counts = dict.fromkeys(["consent.changes", "consent.state", "crm.retractions", "events.quarantine"], p)
        counts |= {"consent.raw": RAW_PARTITIONS, "privacy.requests": RAW_PARTITIONS, "audit.requests": 1}
        return {self.prefix + name: count for name, count in counts.items()}


def day_key(day: str) -> bytes:
    """The quarantine key of a day."""
    return day.encode().ljust(32, b".")


def build(job: ConsentJob, datadir: Path) -> Any:
    """The app of one consent worker."""
    tuning = EdgeTuning(linger_s=0.02, session_timeout_s=6.0, heartbeat_s=1.0, rebalance_timeout_s=20.0)
    app = make_app(
        f"{job.prefix}consent",
        bootstrap=job.bootstrap,
        datadir=datadir,
        worker=job.worker,
        guarantee=job.guarantee,
        partitions=job.partitions,
        tuning=tuning,
    )
    config = ConsentConfig(
        topic=lambda name: job.prefix + name,
        partitions=job.partitions,
        empty_every_s=job.empty_every_s,
        sign=ENROLMENT.sign,
    )
    inputs = RAW_PARTITIONS * (2 if job.requests else 1)
    normaliser = Normaliser(
        ConsentReader(),
        Keying(POLICY, KEYS),
        QuarantineSealer(day_key, b"p" * 32),
        door=Door(topic="consent.raw", of=inputs),
        partitions=job.partitions,
        partition_of=partition_of,
    )
    register_consent_agents(app, config, normaliser, lambda: secrets.token_bytes(32), Retractor(BUNDLE, pseudonyms))
    if job.requests:
        reader, keying = RequestReader(b"r" * 32, POLICY), RequestKeying(POLICY, KEYS)
        asked = Door(topic="privacy.requests", stage="privacy", noted="requests", first=RAW_PARTITIONS, of=inputs)
        sealer = QuarantineSealer(day_key, b"p" * 32)
        requests = Normaliser(reader, keying, sealer, door=asked, partitions=job.partitions, partition_of=partition_of)
        register_privacy_agent(app, config, requests, lambda: None)
    return app


def main() -> int:
    """Run the job given as the first argument."""
    logging.basicConfig(level=os.environ.get("CONSENT_LOG", "WARNING"), format="%(asctime)s %(levelname)s %(message)s")
    job = msgspec.json.decode(sys.argv[1], type=ConsentJob)
    with tempfile.TemporaryDirectory(prefix="tamis-consent-") as folder:
        return run_apps([build(job, Path(folder))], ready=lambda: print("READY", flush=True))


if __name__ == "__main__":
    sys.exit(main())
