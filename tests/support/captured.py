"""Builds the captured SDK bodies that the demo ships: ``python -m tests.support.captured``."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import tamis.demo

PAYLOADS = Path(__file__).parents[1] / "vectors" / "payloads"
SHIPPED_VENDORS = ("rudderstack", "segment")
SHIPPED = Path(tamis.demo.__file__).parent / "captured.jsonl.gz"


def pack(files: Iterable[Path]) -> bytes:
    """One line a request, ``{"vendor", "endpoint", "events", "body"}``, in the order of the files; compressed."""
    lines = []
    for path in files:
        payload = json.loads(path.read_text("utf-8"))
        kept = {name: payload[name] for name in ("vendor", "endpoint", "body")} | {"events": len(payload["expect"])}
        lines.append(json.dumps(kept, ensure_ascii=False, sort_keys=True))
    return gzip.compress("".join(line + "\n" for line in lines).encode(), compresslevel=9, mtime=0)


if __name__ == "__main__":
    SHIPPED.write_bytes(pack(sorted(path for vendor in SHIPPED_VENDORS for path in (PAYLOADS / vendor).glob("*.json"))))
