"""A log between batches: when an idle partition writes a head, so that no take-over goes back before a told minute."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.audit.leaf import decode_head
from tamis.domain.audit.log import AuditLog, LogTail

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 29_919_480 * MINUTE + 30_000
ORIGIN = "events.raw/3"


def idle(log: AuditLog, clock: int) -> bytes | None:
    return log.append([], {}, 7, 7, clock, None)


def test_a_new_minute_writes_a_head_long_before_the_interval_has_passed() -> None:
    log = AuditLog(ORIGIN, idle_head_ms=HOUR)
    assert idle(log, START) is not None
    assert idle(log, START + 29_999) is None
    assert idle(log, START + 30_000) is not None
    assert idle(log, START + 30_001) is None


def test_within_a_minute_the_interval_counts() -> None:
    log = AuditLog(ORIGIN, idle_head_ms=10_000)
    assert idle(log, START) is not None
    assert idle(log, START + 9_999) is None
    assert idle(log, START + 10_000) is not None


@given(st.lists(st.integers(0, 3 * MINUTE), min_size=1, max_size=20), st.sampled_from([1_000, MINUTE, HOUR]))
def test_who_takes_over_resumes_in_the_last_minute_that_was_told(steps: list[int], interval: int) -> None:
    log, clock, head = AuditLog(ORIGIN, interval), START, None
    for step in steps:
        clock += step
        head = idle(log, clock) or head
    assert head is not None
    resumed = AuditLog.resume(ORIGIN, LogTail(decode_head(head)), 7, interval)
    assert resumed.clock // MINUTE == clock // MINUTE


def test_markers_alone_are_covered_by_a_head() -> None:
    log = AuditLog(ORIGIN, HOUR)
    assert log.append([], {}, 5, 6, START, None) is not None
    assert log.append([], {}, 6, 6, START + 1, None) is None
    assert log.append([], {}, 6, 7, START + 2, None) is not None
