"""The page an event happened on, in one place whoever sent it: ``context.page``, as analytics.js has it.

Rules: addresses stay as they were sent, query included: minimisation strips it before anything leaves.
"""

from typing import Any


def page(url: Any, referrer: Any = None, title: Any = None, path: Any = None) -> dict[str, Any]:
    """``{"page": {...}}`` with what is there, or nothing."""
    parts = {"url": url, "referrer": referrer, "title": title, "path": path}
    found = {key: value for key, value in parts.items() if isinstance(value, str) and value}
    return {"page": found} if found else {}


def present(**facts: Any) -> dict[str, Any]:
    """The facts that are there: neither None nor an empty text or object."""
    return {key: value for key, value in facts.items() if value is not None and value not in ("", {})}
