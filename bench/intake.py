"""The intake step alone, beside a plain step and SHA-256: a table, then JSON (``tamis.demo.bench.steps``)."""

from pathlib import Path

import msgspec

from tamis.bundles.load import load_bundle
from tamis.demo.bench.steps import measure_steps, rows
from tamis.domain.bundle import Bundle


def main() -> None:
    """Measure and print."""
    bundle = load_bundle(Path(__file__).parents[1] / "config" / "reference")
    if not isinstance(bundle, Bundle):
        raise SystemExit("\n".join(map(str, bundle)))
    costs = measure_steps(bundle)
    print("\n".join(rows(costs)))
    print(msgspec.json.encode(costs).decode())


if __name__ == "__main__":
    main()
