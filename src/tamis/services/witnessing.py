"""Gets checkpoints cosigned in the background, while sealing goes on.

Rules: one thread a witness, so that a slow one holds up nobody; all witnesses are asked for the same checkpoint of a
log (a round), else a growing log would never have a quorum at one size; a round ends when the next one begins, at most
every ``interval_s``, and not before all answered or ``patience_s`` went by; a witness in trouble is asked again after a
wait that doubles. Whoever calls ``step`` gets what happened and stays the only writer of files.
Not here: what a conflict means for the log: the caller must stop sealing it.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Mapping

import msgspec

from tamis.domain.audit.note import Signature
from tamis.domain.audit.policy import WitnessPolicy
from tamis.domain.audit.witness import Answer, Conflict, Cosigned, Trouble, Unavailable
from tamis.services.witness_client import Ask, SealedTree

_SETTLED_TROUBLE = frozenset({Trouble.UNKNOWN_LOG, Trouble.UNKNOWN_KEY, Trouble.REFUSED})


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often.

    Attributes:
        interval_s: rounds of one log begin at most so often.
        patience_s: how long a round waits for all witnesses.
        first_wait_s, longest_wait_s: before a witness in trouble is asked again.
    """

    interval_s: float = 10.0
    patience_s: float = 30.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0


class Happened(msgspec.Struct, frozen=True):
    """One witness's answer to one checkpoint.

    Attributes:
        tree: what was asked for.
        witness: its name in the policy.
        answer: never ``Behind``.
        signatures: all cosignatures of this checkpoint so far.
        enough: whether they satisfy the policy.
    """

    tree: SealedTree
    witness: str
    answer: Answer
    signatures: tuple[Signature, ...]
    enough: bool


class _Round:
    """One checkpoint in the hands of the witnesses."""

    def __init__(self, tree: SealedTree, began: float, witnesses: Iterable[str]) -> None:
        self.tree, self.began = tree, began
        self.open = set(witnesses)
        self.signatures: dict[str, Signature] = {}


class Witnessing:
    """All witnesses of a policy.

    Args:
        policy: who they are and how many are enough.
        ask: witness name -> how to ask it; called in that witness's thread.
        pace: how often.
        clock: seconds that only go forward.
    """

    def __init__(self, policy: WitnessPolicy, ask: Mapping[str, Ask], pace: Pace, clock: Callable[[], float]) -> None:
        self._policy, self._pace, self._clock = policy, pace, clock
        self._keys = {witness.name: witness.key for witness in policy.witnesses}
        self._answers: queue.SimpleQueue[tuple[str, SealedTree, Answer | BaseException]] = queue.SimpleQueue()
        self._askers = {name: _Asker(name, ask[name], pace, clock, self._answers) for name in ask}
        self._rounds: dict[str, _Round] = {}
        self._newest: dict[str, SealedTree] = {}

    def offer(self, tree: SealedTree) -> None:
        """A new checkpoint of a log; its round begins when the one before is over."""
        self._newest[tree.origin] = tree

    def drop(self, origin: str) -> None:
        """Ask for no further cosignature of this log."""
        self._newest.pop(origin, None)
        self._rounds.pop(origin, None)
        for asker in self._askers.values():
            asker.drop(origin)

    def step(self) -> list[Happened]:
        """What happened since the last call; begins rounds that are due. Never waits.

        Raises:
            OwnTreeError: our own tiles are damaged.
        """
        happened = []
        while not self._answers.empty():
            name, tree, answer = self._answers.get()
            if isinstance(answer, BaseException):
                raise answer
            told = self._take(name, tree, answer)
            if told is not None:
                happened.append(told)
        now = self._clock()
        for origin, tree in list(self._newest.items()):
            if self._due(origin, now):
                del self._newest[origin]
                self._rounds[origin] = _Round(tree, now, self._askers)
                for asker in self._askers.values():
                    asker.want(tree)
        return happened

    def stop(self) -> None:
        """End the threads; answers under way are dropped."""
        for asker in self._askers.values():
            asker.stop()

    def _due(self, origin: str, now: float) -> bool:
        running = self._rounds.get(origin)
        if running is None:
            return True
        age = now - running.began
        return age >= self._pace.interval_s and (not running.open or age >= self._pace.patience_s)

    def _take(self, name: str, tree: SealedTree, answer: Answer) -> Happened | None:
        running = self._rounds.get(tree.origin)
        if running is None or running.tree is not tree:
            return Happened(tree, name, answer, (), enough=False) if isinstance(answer, Conflict) else None
        if isinstance(answer, Cosigned):
            running.signatures[name] = answer.signature
        if not isinstance(answer, Unavailable):
            running.open.discard(name)
        cosigners = [self._keys[each] for each in running.signatures]
        enough = self._policy.satisfied_by(cosigners)
        return Happened(tree, name, answer, tuple(running.signatures.values()), enough)


class _Asker:
    """The thread of one witness."""

    def __init__(
        self,
        name: str,
        ask: Ask,
        pace: Pace,
        clock: Callable[[], float],
        answers: "queue.SimpleQueue[tuple[str, SealedTree, Answer | BaseException]]",
    ) -> None:
        self._name, self._ask, self._pace, self._clock, self._answers = name, ask, pace, clock, answers
        self._changed = threading.Condition()
        self._wanted: dict[str, SealedTree] = {}
        self._not_before: dict[str, float] = {}
        self._waits: dict[str, float] = {}
        self._stopping = False
        threading.Thread(target=self._run, name=f"witness-{name}", daemon=True).start()

    def want(self, tree: SealedTree) -> None:
        """Ask for this checkpoint; one of the same log that is not answered yet is forgotten."""
        with self._changed:
            self._wanted[tree.origin] = tree
            self._changed.notify()

    def drop(self, origin: str) -> None:
        with self._changed:
            self._wanted.pop(origin, None)

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            tree = self._next()
            if tree is None:
                return
            try:
                answer: Answer | BaseException = self._ask(tree)
            except Exception as fault:  # noqa: BLE001 - handed to the caller of step, which raises it
                answer = fault
            self._settle(tree, answer)
            self._answers.put((self._name, tree, answer))

    def _next(self) -> SealedTree | None:
        """The checkpoint whose turn it is; None to end."""
        with self._changed:
            while not self._stopping:
                now = self._clock()
                due = {origin: self._not_before.get(origin, now) for origin in self._wanted}
                first = min(due, key=due.__getitem__, default=None)
                if first is not None and due[first] <= now:
                    return self._wanted[first]
                self._changed.wait(None if first is None else due[first] - now)
        return None

    def _settle(self, tree: SealedTree, answer: Answer | BaseException) -> None:
        origin = tree.origin
        with self._changed:
            if isinstance(answer, Unavailable):
                self._postpone(origin, answer)
                return
            self._waits.pop(origin, None)
            self._not_before.pop(origin, None)
            if self._wanted.get(origin) is tree:
                del self._wanted[origin]

    def _postpone(self, origin: str, answer: Unavailable) -> None:
        """Trouble of the witness itself holds for all logs, trouble with a log for this one."""
        pace = self._pace
        wait = min(max(self._waits.get(origin, pace.first_wait_s / 2) * 2, answer.wait_s or 0), pace.longest_wait_s)
        self._waits[origin] = wait
        until = self._clock() + wait
        for each in [origin] if answer.trouble in _SETTLED_TROUBLE else list(self._wanted):
            self._not_before[each] = max(until, self._not_before.get(each, until))
