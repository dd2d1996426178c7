"""A configuration folder as documents: ``rules.yaml`` and ``rules/*.yaml``, ``destinations.yaml``, ``policy.yaml``.

Rules: every file that looks like configuration is read or named in a warning; a missing file is an error; several rule
files count as one, ``rules.yaml`` first, then by file name.
"""

from pathlib import Path

import msgspec

from tamis.bundles.document import Document
from tamis.bundles.problem import Problem, Severity
from tamis.bundles.schema_check import check_shape
from tamis.bundles.yaml_file import MAX_BYTES, read_yaml

RULES = "rules.yaml"
DESTINATIONS = "destinations.yaml"
POLICY = "policy.yaml"
MAX_FILES = 200


class Parts(msgspec.Struct, frozen=True):
    """What a bundle is made of; a part whose file cannot be read is missing.

    Attributes:
        rules: one document a file.
        destinations: None when it could not be read.
        policy: None when it could not be read.
        complete: whether all files could be read (only then can references between them be judged).
    """

    rules: tuple[Document, ...]
    destinations: Document | None
    policy: Document | None
    complete: bool


def read_folder(folder: Path) -> tuple[Parts, list[Problem]]:
    """All documents of a folder and what is wrong with their form."""
    problems: list[Problem] = []
    if not folder.is_dir():
        return Parts((), None, None, complete=False), [Problem(".", 1, None, "there is no such folder")]
    names = _rule_files(folder, problems)
    problems += _strays(folder)
    rules = [_read(folder, name, "rules", problems) for name in names]
    destinations = _read(folder, DESTINATIONS, "destinations", problems)
    policy = _read(folder, POLICY, "policy", problems)
    found = tuple(document for document in rules if document is not None)
    whole = len(found) == len(rules) and None not in (destinations, policy)
    return Parts(found, destinations, policy, complete=whole), problems


def _rule_files(folder: Path, problems: list[Problem]) -> list[str]:
    inner = sorted(path.name for path in (folder / "rules").glob("*.yaml")) if (folder / "rules").is_dir() else []
    names = [RULES] if (folder / RULES).exists() else []
    names += [f"rules/{name}" for name in inner if not name.startswith(".")]
    if not names:
        problems.append(Problem(RULES, 1, None, "missing: rules stand in rules.yaml or rules/*.yaml"))
    if len(names) > MAX_FILES:
        problems.append(Problem("rules", 1, None, f"more than {MAX_FILES} rule files"))
    return names[:MAX_FILES]


def _strays(folder: Path) -> list[Problem]:
    known = {RULES, DESTINATIONS, POLICY}
    strays = [path.name for path in folder.glob("*.y*ml") if path.name not in known]
    strays += [f"rules/{path.name}" for path in (folder / "rules").glob("*.yml")]
    message = "not read: configuration is in rules.yaml, rules/*.yaml, destinations.yaml and policy.yaml"
    return [Problem(name, 1, None, message, Severity.WARNING) for name in sorted(strays) if not name.startswith(".")]


def _read(folder: Path, name: str, schema: str, problems: list[Problem]) -> Document | None:
    try:
        with (folder / name).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        problems.append(Problem(name, 1, None, "missing"))
        return None
    except OSError as error:
        problems.append(Problem(name, 1, None, f"cannot be read: {error.strerror}"))
        return None
    document, found = read_yaml(name, raw)
    problems += found
    if document is not None:
        problems += check_shape(document, schema)
    return document
