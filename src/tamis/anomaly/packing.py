"""Arrays of numbers as bytes, the same on every machine: little-endian IEEE 754, 4 or 8 bytes each."""

import sys
from array import array


def pack(values: "array[float]") -> bytes:
    """The values of an array of type "f" or "d"."""
    if sys.byteorder == "little":
        return values.tobytes()
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped.tobytes()


def unpack(typecode: str, packed: bytes, length: int) -> "array[float]":
    """The array that ``pack`` was given.

    Raises:
        ValueError: another length than ``length``, so not a state of this version.
    """
    values: array[float] = array(typecode)
    values.frombytes(packed)
    if len(values) != length:
        raise ValueError(f"a packed array of {len(values)} numbers where {length} belong")
    if sys.byteorder != "little":
        values.byteswap()
    return values
