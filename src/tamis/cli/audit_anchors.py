"""The anchors of a folder, for ``tamis audit verify --anchors``: checked, and said in lines."""

from pathlib import Path
from typing import TYPE_CHECKING

from tamis.cli.audit_places import authorities

if TYPE_CHECKING:
    from tamis.domain.audit.note import VerifierKey
    from tamis.services.anchor_check import AnchorReport

_SHOWN = 5


def checked_anchors(folder: Path, keys: "tuple[VerifierKey, ...]", certificates: tuple[Path, ...]) -> "AnchorReport":
    """The report; certificates are PEM files of timestamp authorities.

    Raises:
        click.UsageError: a file holds no certificate.
        SetupError: there is no sealed log, or a file of an anchor is missing.
    """
    from tamis.services.anchor_check import AnchorCheck
    from tamis.stores.sealed_folder import SealedFolder

    return AnchorCheck(SealedFolder(folder), keys, authorities(certificates)).run()


def anchor_lines(report: "AnchorReport") -> list[str]:
    """The report as text."""
    if not report.anchors:
        return ["anchors: FAILED", "  there is none in this folder"]
    lines = [f"anchors: {'ok' if report.ok else 'FAILED'}"]
    if report.first and report.last:
        first, last = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (report.first, report.last))
        lines.append(f"  {report.anchors:,} anchors, stamped from {first} to {last} UTC")
    lines += [f"  {origin}: {size:,} leaves under the newest" for origin, size in sorted(report.covered.items())]
    failures = report.failures
    lines += [f"  failure: check 'anchor' at anchor {each.anchor}: {each.detail}" for each in failures[:_SHOWN]]
    return lines + ([f"  and {len(failures) - _SHOWN:,} more"] if len(failures) > _SHOWN else [])
