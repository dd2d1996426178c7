"""What single bounds cannot say about settings: which values do not go together.

Rules: a check gives the name of the field to change and why; it looks at values only, not at files or the network.
"""

from collections.abc import Iterator

from tamis.settings import Settings

BROKER_DEFAULT_MAX_TRANSACTION_S = 900.0


def cross_checks(settings: Settings) -> Iterator[tuple[str, str]]:
    """Pairs of (``section.name``, what is wrong)."""
    yield from _security(settings)
    yield from _timing(settings)
    if settings.topics.min_insync_replicas > settings.topics.replication:
        yield "topics.min_insync_replicas", "more copies demanded than topics.replication makes"
    if settings.worker.restart_first_s > settings.worker.restart_max_s:
        yield "worker.restart_first_s", "longer than worker.restart_max_s"
    if bool(settings.sealer.tsa_urls.split()) != bool(settings.sealer.tsa_certificates):
        yield "sealer.tsa_certificates", "goes with sealer.tsa_urls: an answer is kept only when it verifies"
    if settings.consent.heartbeat_s * 2 > settings.consent.max_age_s:
        yield "consent.heartbeat_s", "must be at most half of consent.max_age_s, or intake waits between heartbeats"


def _security(settings: Settings) -> Iterator[tuple[str, str]]:
    kafka = settings.kafka
    if kafka.password and kafka.password_file:
        yield "kafka.password_file", "kafka.password is set too; give one of them"
    given = [
        name
        for name, value in (
            ("username", kafka.username),
            ("password", kafka.password),
            ("password_file", kafka.password_file),
        )
        if value
    ]
    if kafka.security == "sasl_ssl":
        if not kafka.username:
            yield "kafka.username", "sasl_ssl needs a user"
        if not kafka.password and not kafka.password_file:
            yield "kafka.password_file", "sasl_ssl needs kafka.password_file or kafka.password"
    elif given:
        yield f"kafka.{given[0]}", f"has no effect with kafka.security = {kafka.security}; set sasl_ssl"
    if kafka.security == "plaintext" and kafka.ca_file:
        yield "kafka.ca_file", "has no effect with kafka.security = plaintext; set ssl or sasl_ssl"


def _timing(settings: Settings) -> Iterator[tuple[str, str]]:
    kafka = settings.kafka
    if kafka.request_timeout_s <= kafka.rebalance_timeout_s:
        yield "kafka.request_timeout_s", "must exceed kafka.rebalance_timeout_s, or joining a group never ends"
    if kafka.heartbeat_s * 3 > kafka.session_timeout_s:
        yield "kafka.heartbeat_s", "must be at most a third of kafka.session_timeout_s"
    if kafka.transaction_timeout_s > BROKER_DEFAULT_MAX_TRANSACTION_S:
        yield "kafka.transaction_timeout_s", "brokers allow at most 900 s (transaction.max.timeout.ms)"
