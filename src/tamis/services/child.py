"""One supervised child process and what it prints, line by line, under its label.

Rules: standard output and error come through one pipe; a line of text gets the label in front, a JSON object gets it as
its first member, so that both stay readable for whoever reads them; a child has a session of its own, so Ctrl-C in the
terminal reaches the supervisor alone.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import BinaryIO

import msgspec

from tamis.services.parent import VARIABLE

_READ_BYTES = 65_536
_LONGEST_LINE = 1 << 20


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        label: e.g. "worker-1"; unique.
        command: program and arguments; no secrets, everybody may read process lists.
        environ: added to the environment of the supervisor.
        drain_rank: lower ranks are ended first.
    """

    label: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    drain_rank: int = 0


class Child:
    """A running process.

    Args:
        spec: what to run.
        out: where its lines go.
    """

    def __init__(self, spec: ProcessSpec, out: BinaryIO) -> None:
        self.spec = spec
        self._out = out
        self._rest = b""
        # Started by the main thread: the kernel ties a child to the thread that made it, not to the process.
        self._process = subprocess.Popen(  # noqa: S603  # the command is ours
            spec.command,
            env={**os.environ, **spec.environ, VARIABLE: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.pipe = self._process.stdout
        os.set_blocking(self.pipe.fileno(), False)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended (below 0: by that signal), None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that ended before is left in peace."""
        self._process.send_signal(number)

    def forward(self) -> bool:
        """Pass on what it printed so far; False when it will print no more."""
        while True:
            try:
                chunk = os.read(self.pipe.fileno(), _READ_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._pass_on(chunk)

    def close(self) -> None:
        """Pass on the rest, an unfinished line included, and forget the process, which has ended."""
        self.forward()
        if self._rest:
            self._pass_on(b"\n")
        self.pipe.close()
        self._process.wait()

    def _pass_on(self, chunk: bytes) -> None:
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        if lines:
            self._out.write(b"".join(labelled(self.spec.label, line) for line in lines))
            self._out.flush()


def labelled(label: str, line: bytes) -> bytes:
    """A printed line with its label and line end."""
    if line.startswith(b'{"') and line.endswith(b"}"):
        return b'{"process":"%s",%s\n' % (label.encode(), line[1:])
    return b"%s | %s\n" % (label.encode(), line)


def own_line(label: str, message: str, *, as_json: bool) -> bytes:
    """A line of the supervisor itself, in the form of the others."""
    return labelled(label, msgspec.json.encode({"event": message}) if as_json else message.encode())
