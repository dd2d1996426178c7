"""Connection settings as each Kafka library wants them: the one place that knows SASL, SCRAM and TLS.

Rules: the password is read when a client is made, from its setting or its file, and goes nowhere else; TLS checks
certificate and host name, always.
"""

import ssl
from pathlib import Path
from typing import Any

from tamis.settings import KafkaSettings, SetupError

_EMBEDDED = "mockCluster"  # how the embedded broker names itself
_SECURITY_PROTOCOL = {"plaintext": "PLAINTEXT", "ssl": "SSL", "sasl_ssl": "SASL_SSL"}


def confluent_config(kafka: KafkaSettings) -> dict[str, Any]:
    """For confluent_kafka clients (librdkafka); add group, isolation and the like.

    Raises:
        SetupError: the password or authority file cannot be used.
    """
    config: dict[str, Any] = {
        "bootstrap.servers": kafka.bootstrap,
        "security.protocol": _SECURITY_PROTOCOL[kafka.security],
        "check.crcs": kafka.check_crcs,
        "log_level": 2,  # what fails is raised where it is asked for
    }
    if kafka.security == "sasl_ssl":
        config |= {
            "sasl.mechanism": kafka.sasl_mechanism,
            "sasl.username": kafka.username,
            "sasl.password": password(kafka),
        }
    if kafka.ca_file:
        tls_context(kafka)  # says more about an unusable file than librdkafka does
        config["ssl.ca.location"] = kafka.ca_file
    return config


def aiokafka_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments of any aiokafka client; ``check_crcs`` belongs to consumers: see ``aiokafka_consumer_options``.

    Raises:
        SetupError: the password or authority file cannot be used.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap,
        "security_protocol": _SECURITY_PROTOCOL[kafka.security],
        "request_timeout_ms": round(kafka.request_timeout_s * 1_000),
    }
    if kafka.security != "plaintext":
        options["ssl_context"] = tls_context(kafka)
    if kafka.security == "sasl_ssl":
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": password(kafka),
        }
    return options


def aiokafka_consumer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """As ``aiokafka_options``, with what only consumers take."""
    return aiokafka_options(kafka) | {"check_crcs": kafka.check_crcs}


def faust_broker_urls(kafka: KafkaSettings, scheme: str) -> str:
    """The broker list in Faust's form: ``scheme://a:9092;scheme://b:9092``."""
    return ";".join(f"{scheme}://{broker.strip()}" for broker in kafka.bootstrap.split(",") if broker.strip())


def is_embedded(cluster_id: str | None) -> bool:
    """Whether this is the embedded broker, where administrative requests are never answered."""
    return (cluster_id or "").startswith(_EMBEDDED)


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """TLS that checks certificate and host name against ``ca_file`` or the system's authorities.

    Raises:
        SetupError: the file is missing or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=kafka.ca_file or None)
    except ssl.SSLError:
        raise SetupError(f"kafka.ca_file {kafka.ca_file}: not a PEM certificate") from None
    except OSError as error:
        raise SetupError(f"kafka.ca_file {kafka.ca_file}: {error.strerror}") from None


def password(kafka: KafkaSettings) -> str:
    """The SASL password, from the setting or the file (one trailing line end is not part of it).

    Raises:
        SetupError: the file is missing or empty.
    """
    if not kafka.password_file:
        return kafka.password.reveal()
    try:
        text = Path(kafka.password_file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SetupError(f"kafka.password_file {kafka.password_file}: {why}") from None
    if not text:
        raise SetupError(f"kafka.password_file {kafka.password_file}: empty")
    return text
