"""A child process that does not outlive its supervisor, however that one dies.

Rules: the child itself asks for it, as its first act; on Linux the kernel kills it when the parent dies
(``PR_SET_PDEATHSIG``), elsewhere a thread looks once a second. A parent that died before is noticed too.

Source: prctl(2).
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import MutableMapping

VARIABLE = "TAMIS_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_S = 1.0


def die_with_parent(environ: MutableMapping[str, str]) -> None:
    """Bind the life of this process to that of the process named in TAMIS_PARENT_PID, if it is there.

    Args:
        environ: the variable is taken out, so that grandchildren are not bound.
    """
    text = environ.pop(VARIABLE, "")
    if not text.isdecimal():
        return
    parent = int(text)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGKILL)
