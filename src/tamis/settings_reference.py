"""The settings as pages: Markdown reference, commented TOML example, and the values in force.

Rules: everything is read off the types in ``settings``; secrets are redacted; the example parses to the defaults.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from tamis.settings import REDACTED, Secret, Settings
from tamis.settings_loader import LoadedSettings, known_fields, variable_name

_INTRO = """# Settings

*Generated from `src/tamis/settings.py` by `tamis settings reference`; a test keeps this page equal to it.*

A setting has a default; a TOML file replaces it; an environment variable replaces both. The file is the one given by
`tamis --settings FILE` or by the variable `TAMIS_SETTINGS`. The variable of `kafka.bootstrap` is
`TAMIS_KAFKA__BOOTSTRAP`: `TAMIS_`, section, **two** underscores, name. An unknown name is an error, and all errors are
shown at once, with file and line or variable. `tamis settings show` prints what is in force and where it came from;
secrets are never printed. `tamis settings example` writes a file with every setting to start from.

A name ends in its unit: `_s` seconds, `_ms` milliseconds, `_bytes` bytes. Rules, destinations and policy are not
settings: they live in the folder `rules.folder`.
"""


class FieldPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the reference says of one setting."""

    name: str
    kind: str
    default: Any
    description: str


def pages() -> Iterator[FieldPage]:
    """Every setting in order of declaration."""
    defaults = Settings()
    for name, hint in known_fields().items():
        section, _, field = name.partition(".")
        metas = [extra for extra in get_args(hint)[1:] if isinstance(extra, Meta)]
        yield FieldPage(
            name=name,
            kind=_kind(get_args(hint)[0], metas),
            default=getattr(getattr(defaults, section), field),
            description=next(meta.description for meta in metas if meta.description),
        )


def markdown() -> str:
    """The page docs/configuration.md."""
    parts = [_INTRO]
    groups = {group.name: group.type for group in msgspec.structs.fields(Settings)}
    for section, group in groups.items():
        parts.append(f"## `[{section}]`\n\n{(group.__doc__ or '').strip()}\n")
        parts.append("| setting | values | default | meaning |\n|---|---|---|---|")
        parts += [_row(page) for page in pages() if page.name.startswith(f"{section}.")]
        parts.append("")
    return "\n".join(parts)


def toml_example() -> str:
    """A settings file in which every setting stands with its default; secrets are left as comments."""
    lines: list[str] = ["# Every setting of tamis with its default. Delete what you do not change."]
    section = ""
    for page in pages():
        group, _, field = page.name.partition(".")
        if group != section:
            section = group
            lines += ["", f"[{section}]"]
        lines.append(f"# {page.description} ({page.kind})")
        secret = isinstance(page.default, Secret)
        lines.append(f"# {field} = ..." if secret else f"{field} = {_toml(page.default)}")
    return "\n".join(lines) + "\n"


def shown(loaded: LoadedSettings) -> Mapping[str, Any]:
    """``section.name`` -> {"value", "origin"}, JSON-ready, secrets redacted."""
    values = {}
    for name in known_fields():
        section, _, field = name.partition(".")
        value = getattr(getattr(loaded.settings, section), field)
        if isinstance(value, Secret):
            value = REDACTED if value else ""
        values[name] = {"value": value, "origin": loaded.origins.get(name, "default")}
    return values


def _row(page: FieldPage) -> str:
    default = "" if isinstance(page.default, Secret) or page.default == "" else f"`{_toml(page.default)}`"
    name = page.name.partition(".")[2]
    return f"| `{name}`<br>`{variable_name(page.name)}` | {page.kind} | {default} | {page.description} |"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def _kind(base: Any, metas: list[Meta]) -> str:
    if get_origin(base) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(base))
    words = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text", Secret: "secret text"}
    bounds = [
        f"{sign} {getattr(meta, attribute)}"
        for meta in metas
        for attribute, sign in (("gt", ">"), ("ge", "≥"), ("le", "≤"))
        if getattr(meta, attribute) is not None
    ]
    return " ".join([words[base], ", ".join(bounds)]).strip()
