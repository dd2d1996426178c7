"""Sampling goes on, also after a sample that failed."""

from __future__ import annotations

import asyncio

from tamis.telemetry.sampling import Sampler


async def _sampled(times: int) -> int:
    done, taken = asyncio.Event(), 0
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    def sample() -> None:
        nonlocal taken
        taken += 1
        if taken == times:
            done.set()
        if taken == 2:
            raise RuntimeError("no sample")

    Sampler(sample, interval_s=0.001).start()
    await asyncio.wait_for(done.wait(), 30)
    return taken


def test_sampling_goes_on() -> None:
    assert asyncio.run(_sampled(5)) == 5
