"""Which witnesses must have cosigned a checkpoint: C2SP trust policies (c2sp.org/tlog-policy).

Rules: lines ``log <vkey> [url]``, ``witness <name> <vkey> [url]``, ``group <name> all|any|<k> <member>...`` and exactly
one ``quorum <name>|none``; a name is defined once, before it is used, and is a member of at most one group; no two logs
and no two witnesses share a public key; ``#`` begins a comment line. A witness's url is where checkpoints are sent.
Not here: asking witnesses (``witness``).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from tamis.domain.audit.note import KeyKind, NoteError, VerifierKey, parse_vkey

NONE = "none"
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


class PolicyError(ValueError):
    """A policy that cannot be used; the message names the line."""


class PolicyWitness(msgspec.Struct, frozen=True):
    """One witness: its name in the policy, its key, and the prefix of its address ("" when only its key is known)."""

    name: str
    key: VerifierKey
    url: str = ""


class WitnessPolicy(msgspec.Struct, frozen=True):
    """Known logs and witnesses, and which sets of witnesses are enough.

    Attributes:
        logs: keys of logs; may be empty when they are known from elsewhere.
        witnesses: in the order of the file.
        groups: name -> (how many, members).
        quorum: name of the witness or group that must have witnessed, or "none".
    """

    logs: tuple[VerifierKey, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = {}
    quorum: str = NONE

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Keys of all witnesses."""
        return tuple(witness.key for witness in self.witnesses)

    def satisfied_by(self, cosigners: Collection[VerifierKey]) -> bool:
        """Whether cosignatures of these keys are enough."""
        if self.quorum == NONE:
            return True
        met = {witness.name: witness.key in cosigners for witness in self.witnesses}
        for name, (least, members) in self.groups.items():
            met[name] = sum(met[member] for member in members) >= least
        return met[self.quorum]


def threshold(witnesses: Iterable[PolicyWitness], least: int) -> WitnessPolicy:
    """The policy that ``least`` of these witnesses are enough; 0 asks for none."""
    known = tuple(witnesses)
    if not least:
        return WitnessPolicy(witnesses=known)
    if least > len(known):
        raise PolicyError(f"{least} of {len(known)} witnesses cannot be had")
    names = tuple(witness.name for witness in known)
    return WitnessPolicy(witnesses=known, groups={"enough": (least, names)}, quorum="enough")


def parse_policy(text: str) -> WitnessPolicy:
    """A policy file.

    Raises:
        PolicyError: with the line.
    """
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        if _CONTROL.search(line):
            raise PolicyError(f"line {number}: a control character")
        words = [word for word in re.split("[ \t]", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"line {number}: {error}") from None
    if reader.quorum is None:
        raise PolicyError("there is no quorum line")
    return WitnessPolicy(tuple(reader.logs), tuple(reader.witnesses), reader.groups, reader.quorum)


class _Reader:
    """State of reading: what is defined so far."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum: str | None = None
        self._names: set[str] = set()
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum,
        }  # fmt: skip
        if words[0] not in kinds:
            raise PolicyError("it begins with none of log, witness, group, quorum")
        kinds[words[0]](words[1:])

    def _log(self, words: list[str]) -> None:
        _counted(words, 1, 2)
        key = _key(words[0], KeyKind.ED25519)
        if any(key.public == other.public for other in self.logs):
            raise PolicyError("another log has this key")
        self.logs.append(key)

    def _witness(self, words: list[str]) -> None:
        _counted(words, 2, 3)
        key = _key(words[1], KeyKind.COSIGNATURE_V1)
        if any(key.public == other.key.public for other in self.witnesses):
            raise PolicyError("another witness has this key")
        self._define(words[0])
        self.witnesses.append(PolicyWitness(words[0], key, words[2] if words[2:] else ""))

    def _group(self, words: list[str]) -> None:
        _counted(words, 3, None)
        name, count, *members = words
        for member in members:
            if member not in self._names or member in self._members:
                raise PolicyError(f"{member} is not defined before, or a member twice")
            self._members.add(member)
        self._define(name)
        number = {"all": str(len(members)), "any": "1"}.get(count, count)
        if not number.isascii() or not number.isdecimal() or not 1 <= int(number) <= len(members):
            raise PolicyError(f"a group's number is all, any, or 1 to {len(members)}")
        self.groups[name] = int(number), tuple(members)

    def _quorum(self, words: list[str]) -> None:
        _counted(words, 1, 1)
        if self.quorum is not None:
            raise PolicyError("a second quorum")
        if words[0] != NONE and words[0] not in self._names:
            raise PolicyError(f"{words[0]} is not defined before")
        self.quorum = words[0]

    def _define(self, name: str) -> None:
        if name == NONE or name in self._names:
            raise PolicyError(f"{name} cannot be defined here")
        self._names.add(name)


def _key(text: str, kind: KeyKind) -> VerifierKey:
    key = parse_vkey(text)
    if key.kind is not kind:
        raise PolicyError(f"the key of {key.name} is of kind {key.kind}, {kind} is due")
    return key


def _counted(words: list[str], least: int, most: int | None) -> None:
    if len(words) < least or (most is not None and len(words) > most):
        raise PolicyError("too few or too many words")
