"""The protected residual: repeats are found, a lasting shift is told once and becomes the new normal."""

from __future__ import annotations

import random

import msgspec
import pytest

from tamis.anomaly.alert_policy import AlertPolicy, Change
from tamis.anomaly.residual import ProtectedResidual


def _noise(seed: int, n: int, mean: float = 100.0) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(mean, 2.0) for _ in range(n)]


def _bad(detector: ProtectedResidual, values: list[float]) -> list[int]:
    return [i for i, value in enumerate(values) if detector.observe(value) >= 0.5]


def test_healthy_noise_is_no_news() -> None:
    assert _bad(ProtectedResidual(), _noise(1, 5_000)) == []


def test_the_fifth_fault_is_found_like_the_first() -> None:
    detector = ProtectedResidual()
    _bad(detector, _noise(1, 1_000))
    for repeat in range(5):
        assert _bad(detector, [20.0] * 3) == [0, 1, 2]
        assert _bad(detector, _noise(repeat, 300)) == []


def test_a_lasting_shift_is_one_incident_and_then_the_new_normal() -> None:
    values, detector, policy = [*_noise(1, 2_000), *_noise(2, 3_000, mean=260.0)], ProtectedResidual(), AlertPolicy()
    alerts = [i for i, value in enumerate(values) if policy.step(60 * i, detector.observe(value)) == Change.OPENED]
    assert alerts == [2_000]
    assert not policy.state.open
    above = _bad(ProtectedResidual(), values)
    assert above[0] == 2_000
    assert above[-1] < 2_200


def test_its_state_is_explicit_bounded_and_goes_on_to_the_last_bit() -> None:
    one, other = ProtectedResidual(), ProtectedResidual()
    values = [*_noise(1, 1_500), *_noise(2, 700, mean=260.0)]
    _bad(one, values[:1_700])
    encoded = one.encode()
    assert len(encoded) < 5_000
    other.restore(encoded)
    assert [other.observe(v) for v in values[1_700:]] == [one.observe(v) for v in values[1_700:]]
    assert other.encode() == one.encode()
    with pytest.raises(ValueError, match="version 9"):
        other.restore(msgspec.msgpack.encode([9, *msgspec.msgpack.decode(encoded)[1:]]))
