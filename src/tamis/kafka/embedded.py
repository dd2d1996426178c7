"""The embedded broker: librdkafka's mock cluster, inside the confluent-kafka wheel, as a Kafka that needs nothing.

Rules: it listens on loopback only and lives as long as its process; topics are made here, since it has no topic
administration. It speaks the real protocol, groups and transactions included, but everything is in memory: at most
5 MiB or 100,000 records a partition (the oldest go), no compaction. Its transactions are a show: records count as
written at once, aborted ones stay visible, a second producer of the same id does not fence the first, **offsets sent
to a transaction are forgotten**, and the markers it writes have no checksum (hence ``check_crcs=False``). For the demo
and for wiring tests, never for production or as proof of exactly-once.

Source: rdkafka_mock.h and rdkafka_mock_handlers.c of librdkafka 2.16.
"""

import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import confluent_kafka

from tamis.settings import KafkaSettings, SetupError

KEPT_BYTES = 5 << 20
KEPT_RECORDS = 100_000
_ERROR_BYTES = 512
_PRODUCER = 0
_CONF_OK = 0
_POINTER = ctypes.c_void_p
_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "rd_kafka_conf_new": (_POINTER, []),
    "rd_kafka_conf_set": (
        ctypes.c_int,
        [_POINTER, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t],
    ),
    "rd_kafka_new": (_POINTER, [ctypes.c_int, _POINTER, ctypes.c_char_p, ctypes.c_size_t]),
    "rd_kafka_destroy": (None, [_POINTER]),
    "rd_kafka_mock_cluster_new": (_POINTER, [_POINTER, ctypes.c_int]),
    "rd_kafka_mock_cluster_destroy": (None, [_POINTER]),
    "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [_POINTER]),
    "rd_kafka_mock_topic_create": (ctypes.c_int, [_POINTER, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [_POINTER, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_down": (ctypes.c_int, [_POINTER, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_up": (ctypes.c_int, [_POINTER, ctypes.c_int32]),
}


class EmbeddedBroker:
    """One broker in this process.

    Args:
        topics: name -> partition count, made at the start.
        rebalance_delay_ms: how long an empty group waits for more members before it starts.

    Raises:
        SetupError: the wheel has no usable librdkafka.
    """

    def __init__(self, topics: Mapping[str, int] | None = None, *, rebalance_delay_ms: int = 500) -> None:
        self._library = _load()
        self._handle, self._cluster = _start(self._library)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, rebalance_delay_ms)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self.topics: dict[str, int] = {}
        for name, partitions in (topics or {}).items():
            self.create_topic(name, partitions)

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic.

        Raises:
            SetupError: it exists already, or the count is below 1.
        """
        code = self._library.rd_kafka_mock_topic_create(self._open(), name.encode(), partitions, 1)
        if partitions < 1 or code:
            raise SetupError(f"the embedded broker refuses topic {name} with {partitions} partitions (code {code})")
        self.topics[name] = partitions

    def kafka_settings(self) -> KafkaSettings:
        """The settings of a client of this broker."""
        return KafkaSettings(bootstrap=self.bootstrap, check_crcs=False)

    def set_down(self, *, down: bool) -> None:
        """Break all connections and refuse new ones, or serve again: the nearest thing to a restart."""
        call = self._library.rd_kafka_mock_broker_set_down if down else self._library.rd_kafka_mock_broker_set_up
        call(self._open(), 1)

    def close(self) -> None:
        """End the broker and forget all records; closing twice is fine."""
        if self._cluster is not None:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None

    def _open(self) -> int:
        if self._cluster is None:
            raise SetupError("the embedded broker is closed")
        return self._cluster

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _start(library: ctypes.CDLL) -> tuple[int, int | None]:
    text = ctypes.create_string_buffer(_ERROR_BYTES)
    conf = library.rd_kafka_conf_new()
    if library.rd_kafka_conf_set(conf, b"log_level", b"0", text, _ERROR_BYTES) != _CONF_OK:
        raise SetupError(f"librdkafka refuses its settings: {text.value.decode()}")
    handle = library.rd_kafka_new(_PRODUCER, conf, text, _ERROR_BYTES)
    if not handle:
        raise SetupError(f"librdkafka does not start: {text.value.decode()}")
    cluster = library.rd_kafka_mock_cluster_new(handle, 1)
    if not cluster:
        library.rd_kafka_destroy(handle)
        raise SetupError("librdkafka does not start its mock cluster")
    return handle, cluster


def _load() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    candidates = list(_candidates(package))
    for path in candidates:
        library = ctypes.CDLL(str(path))
        if not hasattr(library, "rd_kafka_mock_cluster_new"):
            continue
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        return library
    raise SetupError(
        "the embedded broker needs the librdkafka that comes with the confluent-kafka wheel; "
        f"{'none of its libraries has a mock cluster' if candidates else 'no library found'} beside {package}"
    )


def _candidates(package: Path) -> Iterator[Path]:
    """Where the wheels for Linux, macOS and Windows keep their libraries."""
    for folder in (package.parent / "confluent_kafka.libs", package / ".dylibs", package):
        yield from sorted(path for path in folder.glob("*rdkafka*") if path.suffix in {".so", ".dylib", ".dll"})
        yield from sorted(folder.glob("*rdkafka*.so.*"))
