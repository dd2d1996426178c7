"""Settings from defaults, then a TOML file, then the environment; every problem found is reported, not only the first.

Rules: a later source wins field by field; an unknown name is a problem (with the nearest known name), never ignored; a
value is converted strictly by its type in ``settings``; a problem names its file and line or its variable and never
shows the value of a secret; a file that holds a secret must be readable by its owner alone. Variables are
``TAMIS_<SECTION>__<NAME>`` with two underscores; others that merely begin with TAMIS_ are left alone (Kubernetes makes
some) unless they look like a misspelt setting. Files that settings name are read by the parts that need them.
"""

import difflib
import math
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from tamis.settings import Secret, Settings, SetupError
from tamis.settings_checks import cross_checks

FILE_VARIABLE = "TAMIS_SETTINGS"
PREFIX = "TAMIS_"
_OTHER_VARIABLES = frozenset({FILE_VARIABLE, "TAMIS_KEYS", "TAMIS_REQUIRE"})
_TABLE = re.compile(r"^\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.-]+)\s*=")
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with the settings: ``where`` is a file and line, or a variable."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class SettingsError(SetupError):
    """The settings are unusable; ``problems`` holds all that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{count} in the settings", *(f"  {problem}" for problem in problems)]))


class LoadedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings and, for each field that is not a default, where it came from ("kafka.bootstrap" -> "env ...")."""

    settings: Settings
    origins: Mapping[str, str]


class _Value(msgspec.Struct, frozen=True):
    value: Any
    where: str
    text: bool


def known_fields() -> dict[str, Any]:
    """``section.name`` -> annotated type, in the order of declaration."""
    return {
        f"{group.name}.{name}": hint
        for group in msgspec.structs.fields(Settings)
        for name, hint in get_type_hints(group.type, include_extras=True).items()
    }


def load_settings(file: str | None = None, environ: Mapping[str, str] | None = None) -> LoadedSettings:
    """Settings of this process.

    Args:
        file: TOML file; None: the one named by TAMIS_SETTINGS, if any.
        environ: variables; None: those of the process.

    Raises:
        SettingsError: with all problems at once.
    """
    variables = os.environ if environ is None else environ
    problems: list[Problem] = []
    path = file or variables.get(FILE_VARIABLE)
    values = _from_file(Path(path), problems) if path else {}
    values |= _from_environment(variables, problems)
    settings = _build(values, problems)
    if settings is not None:
        problems += [
            Problem(where=values[name].where if name in values else "default", message=f"{name}: {message}")
            for name, message in cross_checks(settings)
        ]
    if problems or settings is None:
        raise SettingsError(tuple(problems))
    return LoadedSettings(settings=settings, origins={name: value.where for name, value in values.items()})


def _from_file(path: Path, problems: list[Problem]) -> dict[str, _Value]:
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        problems.append(Problem(where=str(path), message=error.strerror or "cannot be read"))
        return {}
    except ValueError as error:  # not TOML (tomllib names the line), or not UTF-8
        problems.append(Problem(where=str(path), message=str(error)))
        return {}
    lines = _lines(text)
    known, values = known_fields(), {}
    for name, value in _flatten(tables):
        where = f"{path}:{lines[name]}" if name in lines else str(path)
        if name not in known:
            problems.append(Problem(where=where, message=_unknown(name, known)))
            continue
        values[name] = _Value(value, where, text=False)
        if _is_secret(known[name]) and path.stat().st_mode & _OPEN_TO_OTHERS:
            problems.append(Problem(where=where, message=f"{name} is a secret, but others may read this file (0600)"))
    return values


def _flatten(tables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, table in tables.items():
        if not isinstance(table, dict):
            yield section, table
            continue
        for name, value in table.items():
            yield f"{section}.{name}", value


def _lines(text: str) -> dict[str, int]:
    """Line number of each ``section.name``; names inside multi-line values only cost a wrong entry nobody asks for."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if table := _TABLE.match(line):
            section = f"{table[1]}."
        elif key := _KEY.match(line):
            found.setdefault(section + key[1], number)
    return found


def _from_environment(variables: Mapping[str, str], problems: list[Problem]) -> dict[str, _Value]:
    known = {variable_name(name): name for name in known_fields()}
    values = {}
    for variable in sorted(variables):
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        if variable in known:
            values[known[variable]] = _Value(variables[variable], f"variable {variable}", text=True)
        elif "__" in variable or _nearest(variable, known, 0.93):
            problems.append(Problem(where=f"variable {variable}", message=_unknown(variable, known)))
    return values


def variable_name(name: str) -> str:
    """The environment variable of a setting: ``kafka.bootstrap`` -> ``TAMIS_KAFKA__BOOTSTRAP``."""
    return PREFIX + name.replace(".", "__").upper()


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    if any(field.startswith(f"{name}.") for field in known):
        return f"{name} is a section: write [{name}]"
    nearest = _nearest(name, known, 0.6)
    return f"no setting {name}" + (f"; did you mean {nearest}?" if nearest else "")


def _nearest(name: str, known: Mapping[str, Any], cutoff: float) -> str:
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def _build(values: Mapping[str, _Value], problems: list[Problem]) -> Settings | None:
    known = known_fields()
    groups: dict[str, dict[str, Any]] = {}
    failed = False
    for name, value in values.items():
        section, _, field = name.partition(".")
        try:
            groups.setdefault(section, {})[field] = _convert(value, known[name])
        except msgspec.ValidationError as error:
            failed = True
            problems.append(Problem(where=value.where, message=f"{name}: {_plain(error, known[name])}"))
    if failed:
        return None
    types = {group.name: group.type for group in msgspec.structs.fields(Settings)}
    return Settings(**{section: types[section](**fields) for section, fields in groups.items()})


def _convert(value: _Value, hint: Any) -> Any:
    if _is_secret(hint):
        if not isinstance(value.value, str):
            raise msgspec.ValidationError("Expected `str`")
        return Secret(value.value)
    converted = msgspec.convert(value.value, hint, strict=not value.text)
    if isinstance(converted, float) and not math.isfinite(converted):
        raise msgspec.ValidationError("Expected a finite number")
    return converted


def _is_secret(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is Secret


def _plain(error: msgspec.ValidationError, hint: Any) -> str:
    base = get_args(hint)[0]
    if get_origin(base) is Literal:
        return "must be one of " + ", ".join(map(str, get_args(base)))
    text = str(error)
    return text[:1].lower() + text[1:]
