"""How many distinct subjects: HyperLogLog sketches of keyed hashes, mergeable and small.

Rules: an entry is made of a keyed hash of the subject key (itself keyed), never of an id, and keeps 16 bits of it:
register and rank; two sketches of one key merge to the sketch of both inputs, in any order and however often. A sketch
of few subjects is written as its entries, one of many as all registers; both forms are read.

Form: b"" for nobody; byte 1, then little-endian 16-bit entries ``register << 6 | rank`` in order; or byte 2, then one
byte a register. Error: standard deviation 1.04 / sqrt(1024) = 3.3 %; below some hundred subjects linear counting is
nearly exact.
Source: Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a near-optimal cardinality estimation
algorithm", AofA 2007; linear counting for the small range as there.
Not handled here: who is counted.
"""

from collections.abc import Callable, Iterable, Sequence
from math import log
from struct import pack, unpack

from tamis.domain.keyed import mac

BITS = 10
REGISTERS = 1 << BITS
_RANK_BITS = 6
_RANK_MASK = (1 << _RANK_BITS) - 1
_HASH_BYTES = 8
_REST_BITS = 8 * _HASH_BYTES - BITS
_MOST_RANK = _REST_BITS + 1
_ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)
_FEW, _MANY = 1, 2
_MOST_FEW = REGISTERS // 2  # where the entries take as many bytes as the registers


def entries(key: bytes) -> Callable[[str], int]:
    """A function from a subject key to its entry, ``register << 6 | rank``."""
    hashed = mac(key, b"tamis/subjects/v1\0")
    return lambda subject: entry_of(int.from_bytes(hashed(subject.encode())[:_HASH_BYTES], "big"))


def entry_of(hashed: int) -> int:
    """The entry of a 64-bit hash: first bits are the register, the leading zeros of the rest plus 1 the rank."""
    rest = hashed & ((1 << _REST_BITS) - 1)
    return (hashed >> _REST_BITS) << _RANK_BITS | (_REST_BITS - rest.bit_length() + 1)


class Sketch:
    """Distinct subjects so far.

    Attributes:
        ranks: register -> highest rank; registers without a rank are left out.
    """

    __slots__ = ("ranks",)

    def __init__(self) -> None:
        self.ranks: dict[int, int] = {}

    def add(self, found: Iterable[int]) -> None:
        """Takes entries in."""
        ranks = self.ranks
        for each in found:
            register, rank = each >> _RANK_BITS, each & _RANK_MASK
            if ranks.get(register, 0) < rank:
                ranks[register] = rank

    def merge(self, encoded: bytes) -> None:
        """Takes in what another sketch counted.

        Raises:
            ValueError: no sketch.
        """
        if not encoded:
            return
        if encoded[0] == _FEW and len(encoded) % 2:
            found = _shorts(encoded[1:])
            if any(each >> _RANK_BITS >= REGISTERS or not 0 < each & _RANK_MASK <= _MOST_RANK for each in found):
                raise ValueError("a sketch with an impossible entry")
            self.add(found)
        elif encoded[0] == _MANY and len(encoded) == 1 + REGISTERS and max(encoded[1:]) <= _MOST_RANK:
            self.add(register << _RANK_BITS | rank for register, rank in enumerate(encoded[1:]) if rank)
        else:
            raise ValueError("not a sketch of this form")

    def encode(self) -> bytes:
        """As it is written; equal for equal sketches."""
        ranks = self.ranks
        if not ranks:
            return b""
        if len(ranks) < _MOST_FEW:
            return bytes([_FEW]) + _bytes(sorted(register << _RANK_BITS | rank for register, rank in ranks.items()))
        return bytes([_MANY]) + bytes(map(ranks.get, range(REGISTERS), (0,) * REGISTERS))

    def estimate(self) -> float:
        """About how many distinct subjects."""
        empty = REGISTERS - len(self.ranks)
        total = empty + sum(2.0**-rank for rank in self.ranks.values())
        raw = _ALPHA * REGISTERS * REGISTERS / total
        return REGISTERS * log(REGISTERS / empty) if raw <= 2.5 * REGISTERS and empty else raw


def estimate(encoded: bytes) -> int:
    """About how many distinct subjects an encoded sketch counted.

    Raises:
        ValueError: no sketch.
    """
    sketch = Sketch()
    sketch.merge(encoded)
    return round(sketch.estimate())


def sketch_of(found: Iterable[int]) -> bytes:
    """The encoded sketch of some entries."""
    sketch = Sketch()
    sketch.add(found)
    return sketch.encode()


def _bytes(found: list[int]) -> bytes:
    return pack(f"<{len(found)}H", *found)


def _shorts(encoded: bytes) -> Sequence[int]:
    return unpack(f"<{len(encoded) // 2}H", encoded)
