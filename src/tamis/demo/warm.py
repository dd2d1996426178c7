"""Detectors that have seen the days before the demo, so that it need not last three weeks.

Rules: history is drawn from the traffic's own plan; what was learned is stored as the snapshots a worker writes itself,
so the demo's worker takes them over as after any restart.
"""

from tamis.anomaly.board import Board, closings
from tamis.anomaly.incidents import RuleFacts
from tamis.demo.traffic.history import history_windows
from tamis.demo.traffic.plan import Plan

HISTORY_DAYS = 3


def learned(plan: Plan) -> dict[str, bytes]:
    """Series -> snapshot for ``metrics.state``; takes seconds of CPU."""
    board = Board(lambda _: RuleFacts())
    board.learn_history(closings(history_windows(plan, HISTORY_DAYS)))
    return board.snapshots()
