"""Keys from the environment variable TAMIS_KEYS, for platforms that hand out secrets that way.

Rules: the variable holds the text of a key file; it is taken out of the environment once read, so that no child process
inherits it unknowingly.
"""

from collections.abc import MutableMapping

from tamis.keys.ring import KeyRing, parse_keys
from tamis.settings import SetupError

VARIABLE = "TAMIS_KEYS"


def read_environment_keys(environ: MutableMapping[str, str], *, insecure_dev: bool = False) -> KeyRing:
    """The keys in TAMIS_KEYS.

    Raises:
        SetupError: it is not set, or holds no usable keys.
    """
    text = environ.pop(VARIABLE, "")
    if not text:
        raise SetupError(f"keys.provider is environment, but the variable {VARIABLE} is not set")
    return parse_keys(text.encode(), f"variable {VARIABLE}", insecure_dev=insecure_dev)
