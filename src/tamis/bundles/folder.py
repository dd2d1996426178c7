"""A configuration folder as documents: ``rules.yaml`` and ``rules/*.yaml``, ``destinations.yaml``, ``policy.yaml``.

Rules: every file that looks like configuration is read or named in a warning; a missing file is an error; several rule
files count as one, ``rules.yaml`` first, then by file name.
"""

from collections.abc import Callable, Mapping
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
    return _parts(names, lambda name: _raw(folder, name), problems)


def read_files(files: Mapping[str, bytes]) -> tuple[Parts, list[Problem]]:
    """As ``read_folder`` for files by name that are already read."""
    names = [name for name in files if name not in (DESTINATIONS, POLICY)]
    return _parts(sorted(names, key=lambda name: (name != RULES, name)), files.get, [])


def files_of(folder: Path) -> dict[str, str]:
    """The texts of a valid folder by name: what ``read_files`` needs to make the same of them."""
    names = [*_rule_files(folder, []), DESTINATIONS, POLICY]
    return {name: (folder / name).read_bytes().decode("utf-8-sig") for name in names}


def _parts(
    names: list[str], fetch: Callable[[str], bytes | str | None], problems: list[Problem]
) -> tuple[Parts, list[Problem]]:
    rules = [_read(name, fetch(name), "rules", problems) for name in names]
    destinations = _read(DESTINATIONS, fetch(DESTINATIONS), "destinations", problems)
    policy = _read(POLICY, fetch(POLICY), "policy", problems)
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


def _raw(folder: Path, name: str) -> bytes | str | None:
    """A file's bytes, None when it is missing, or why it cannot be read."""
    try:
        with (folder / name).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _read(name: str, raw: bytes | str | None, schema: str, problems: list[Problem]) -> Document | None:
    if not isinstance(raw, bytes):
        problems.append(Problem(name, 1, None, raw or "missing"))
        return None
    document, found = read_yaml(name, raw)
    problems += found
    if document is not None:
        problems += check_shape(document, schema)
    return document
