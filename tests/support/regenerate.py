"""Writes every file of the repository that is made from code (``make docs``); tests compare files and code.

Rules: one line a file in ``GENERATED``; output depends on the code alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.grafana.build import PAGES, board_json
from tamis import settings_reference
from tamis.bundles.contract.files import contract_files
from tamis.bundles.describe import describe
from tamis.cli.contract import layout_of
from tamis.settings import Settings
from tamis.telemetry import reference
from tests.support.bundles import reference_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]


def _place(name: str) -> str:
    """Where a file of the contract of ``config/reference`` stands."""
    return f"docs/{name}" if name.startswith("rules/") else f"docs/contract/{name}"


def _contract() -> Mapping[str, Callable[[], str]]:
    files = contract_files(reference_bundle(), layout_of(Settings()))
    return {_place(name): partial(str, text) for name, text in files.items()}


GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": settings_reference.markdown,
    "docs/metrics.md": reference.markdown,
    "docs/receives.md": lambda: describe(reference_bundle()),
    **{f"deploy/grafana/dashboards/{name}.json": partial(board_json, name) for name in PAGES},
    **_contract(),
}


def main() -> None:
    """Write what is not up to date, and say what that was."""
    for name, make in GENERATED.items():
        path, text = ROOT / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}")


if __name__ == "__main__":
    main()
