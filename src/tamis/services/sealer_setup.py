"""From settings to a sealer: its keys, its principal, the enrolment key it believes.

Rules: sealing keys are read from their file again when it changes, so a rotation needs no restart; the enrolment key is
the setting's, or that of the root key where the sealer may read it. Where no key file is named and none is there, one
is made, so that one machine needs no setting.
"""

import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from pathlib import Path

import msgspec

from tamis.domain.audit.requests import ENROLMENT_LABEL, enrolment_key
from tamis.kafka.sealing import Publisher, SealerSource
from tamis.keys.provider import open_keys
from tamis.keys.sealer import SealingKeys, new_entry, read_sealing_keys, write_sealing_keys
from tamis.services.sealer_config import SealerConfig
from tamis.settings import KafkaSettings, Settings, SetupError

_KEY_BYTES = 32


class SealerParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a sealer is made of.

    Attributes:
        config: see ``SealerConfig``.
        keys: the sealing keys as they are now.
        kafka: with the sealer's own principal.
    """

    config: SealerConfig
    keys: Callable[[], SealingKeys]
    kafka: KafkaSettings

    def source(self) -> SealerSource:
        """A reader."""
        return SealerSource(self.kafka)

    def publisher(self) -> Publisher:
        """A writer."""
        return Publisher(self.kafka)


class KeyFile:
    """A file of sealing keys, read again when it changed.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = read_sealing_keys(path)
        self._mtime_ns = path.stat().st_mtime_ns

    def __call__(self) -> SealingKeys:
        """The keys as they are now; the last good ones while the file is being replaced by a bad one."""
        mtime_ns = self._path.stat().st_mtime_ns
        if mtime_ns != self._mtime_ns:
            self._keys, self._mtime_ns = read_sealing_keys(self._path), mtime_ns
        return self._keys


def sealer_parts(settings: Settings) -> SealerParts:
    """Everything but the connections.

    Raises:
        SetupError: keys or settings cannot be used.
    """
    config = SealerConfig(
        base=settings.audit.origin,
        folder=Path(settings.sealer_path()),
        topic=settings.topic,
        enrolment=enrolment_public(settings),
        interval_s=settings.sealer.interval_s,
        key_wait_s=settings.sealer.key_wait_s,
        wall_time=settings.worker.time_source == "broker",
        ahead_ms=round(settings.sealer.ahead_s * 1000),
        at_least_once=settings.worker.guarantee == "at_least_once",
    )
    path = Path(settings.sealer_keys_path())
    if not settings.sealer.key_file and not path.exists():
        now = time.time_ns() // 1_000_000
        write_sealing_keys(
            path, SealingKeys((new_entry(time.strftime("%Y", time.gmtime(now // 1_000)), now),)), new=True
        )
    return SealerParts(config=config, keys=KeyFile(path), kafka=sealer_kafka(settings))


def sealer_kafka(settings: Settings) -> KafkaSettings:
    """The connection under the sealer's own principal, where it has one."""
    own = settings.sealer
    if not own.username:
        return settings.kafka
    return msgspec.structs.replace(settings.kafka, username=own.username, password_file=own.password_file)


def enrolment_public(settings: Settings) -> bytes:
    """The public key of requests.

    Raises:
        SetupError: it is not set, and the root key is not there.
    """
    text = settings.sealer.enrolment_key
    if not text:
        key = enrolment_key(open_keys(settings).derive(ENROLMENT_LABEL))
        return key.public_key().public_bytes_raw()
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise SetupError("sealer.enrolment_key: not the base64 of 32 bytes; print it with: tamis keys enrolment")
    return raw
