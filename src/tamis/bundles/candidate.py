"""The candidate that a bundle carries in itself: its rules of mode ``shadow``, judged as if they were active.

Rules: everything else stays; the candidate has the hash of its own source, in which these rules say ``mode: active``.
"""

import json

from tamis.bundles.load import compile_source
from tamis.domain.bundle import Bundle


def with_shadow_rules(bundle: Bundle) -> Bundle | None:
    """The bundle with its shadow rules active, None when it has none."""
    if not any(compiled.rule.mode == "shadow" for compiled in bundle.rules.rules):
        return None
    whole = json.loads(bundle.source)
    for rule in whole["rules"]:
        if rule.get("mode") == "shadow":
            rule["mode"] = "active"
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    made = compile_source(text.encode())
    assert isinstance(made, Bundle), "modes change nothing that is checked"
    return made
