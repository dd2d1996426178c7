"""The summary's books: events in = outcomes = leaves, held = released + denied later + pending."""

import pytest

from tamis.demo.ledger import DemoLedger, Summary
from tamis.domain.audit.report import LogReport


def report(log: str, leaves: int, **outcomes: int) -> LogReport:
    return LogReport(
        log=f"demo/{log}/p0/e1", partition=0, leaves=leaves, heads=1, verified=leaves, begins=0, outcomes=outcomes,
        root="", first=0, next=leaves, lost=0, repeats=0, tail=0, sealed=leaves,
    )  # fmt: skip


def summary(*later: LogReport) -> Summary:
    whole = report("audit.log", 10, accepted=4, held=6)
    control = report("audit.control", 3)
    return DemoLedger().summary(10, 1.0, [whole, control, *later])


def test_held_events_are_released_denied_later_or_pending() -> None:
    found = summary(report("audit.held", 5, released=2, forwarded=3), report("audit.held.last", 1, denied=1))
    assert (found.held, found.held_released, found.held_denied, found.held_pending) == (6, 2, 1, 3)
    assert (found.incoming, found.audit_leaves) == (10, 10)
    assert found.audit_verified
    assert found.balanced()


@pytest.mark.parametrize("later", [report("audit.held", 9, released=7), report("audit.held.last", 8, denied=7)])
def test_more_decided_than_held_is_out_of_balance(later: LogReport) -> None:
    assert not summary(later).balanced()
