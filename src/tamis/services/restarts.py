"""When an ended process is started again, and when that is given up.

Rules: an end for want of the cluster (75) is waited out for ever; wrong usage or configuration (2) ends the run at
once; any other end is a crash, also exit 0, since nobody asked for it; too many crashes within the window end the run.
The wait doubles with each end within the window. No clock and no randomness: the time is an argument.
"""

from collections import deque

import msgspec

EX_WRONG_CONFIGURATION = 2
EX_CRASH_LOOP = 70
EX_UNREACHABLE = 75


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of restarting.

    Attributes:
        first_s: wait after the first end.
        max_s: longest wait.
        crash_limit: so many crashes within the window end the run.
        window_s: how long an end is remembered.
    """

    first_s: float
    max_s: float
    crash_limit: int
    window_s: float


class Restart(msgspec.Struct, frozen=True):
    """Start it again in ``wait_s`` seconds."""

    wait_s: float


class GiveUp(msgspec.Struct, frozen=True):
    """End the run with ``exit_code``; ``reason`` completes "worker-1 ..."."""

    exit_code: int
    reason: str


class RestartState:
    """What is remembered of one process."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._ends: deque[float] = deque()
        self._crashes: deque[float] = deque()

    def ended(self, exit_code: int, now_s: float) -> Restart | GiveUp:
        """What to do about an end.

        Args:
            exit_code: as ``subprocess`` gives it; below 0: ended by that signal.
            now_s: seconds on a clock that never goes back.
        """
        if exit_code == EX_WRONG_CONFIGURATION:
            return GiveUp(EX_WRONG_CONFIGURATION, "refused its configuration")
        self._ends.append(now_s)
        if exit_code != EX_UNREACHABLE:
            self._crashes.append(now_s)
        for times in (self._ends, self._crashes):
            while times and times[0] <= now_s - self._policy.window_s:
                times.popleft()
        if len(self._crashes) >= self._policy.crash_limit:
            reason = f"crashed {len(self._crashes)} times within {self._policy.window_s:g} s, at last with {exit_code}"
            return GiveUp(EX_CRASH_LOOP, reason)
        return Restart(min(self._policy.first_s * 2.0 ** (len(self._ends) - 1), self._policy.max_s))
