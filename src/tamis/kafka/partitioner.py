"""The partition of a key as Kafka's own Java clients choose it, so that every producer in every language agrees.

Source: murmur2 in org.apache.kafka.common.utils.Utils; the seed and the mask are Kafka's.
"""

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK32 = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2(raw: bytes) -> int:
    """Kafka's 32-bit murmur2 of ``raw``, unsigned."""
    length = len(raw)
    h = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(raw[start : start + 4], "little") * _M & _MASK32
        k = (k ^ k >> 24) * _M & _MASK32
        h = (h * _M & _MASK32) ^ k
    if length > whole:
        h = (h ^ int.from_bytes(raw[whole:], "little")) * _M & _MASK32
    h = (h ^ h >> 13) * _M & _MASK32
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` among ``partitions``."""
    return (murmur2(key) & _POSITIVE) % partitions


def partition_of_series(series: str, partitions: int) -> int:
    """The partition of a metrics series ``<site>/<rule>``: that of its site, so that all series of a site meet."""
    return partition_of(series.rpartition("/")[0].encode(), partitions)
