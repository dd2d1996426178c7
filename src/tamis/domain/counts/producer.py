"""Which producer sent an event: SDK and application version, in words that identify nobody.

Rules: the SDK's name counts only when it is listed here, else it is ``other``; without a name it is the vendor of the
envelope; versions are cut to their first two numbers. So a producer is a word of this file and at most four
numbers, whatever a sender writes. For bytes that are no event, what can be read of ``context`` tells; ``-`` is nobody.
"""

import re
from typing import Any

import msgspec

from tamis.domain.event import Event

NO_PRODUCER, OTHER = "-", "other"
_VERSION = re.compile(r"(?<!\d)(\d{1,4})(?!\d)(?:\.(\d{1,4})(?!\d))?")
_MAX_CHARS = 64
_MAX_KNOWN = 1_024
_MAX_BYTES = 1 << 18
_NAMES = {
    name.lower(): word
    for word, names in {
        "analytics.js": ("analytics.js", "@segment/analytics-next"),
        "analytics-node": ("analytics-node", "@segment/analytics-node"),
        "analytics-react-native": ("analytics-react-native", "@segment/analytics-react-native"),
        "analytics-ios": ("analytics-ios",),
        "analytics-swift": ("analytics-swift",),
        "analytics-android": ("analytics-android",),
        "analytics-kotlin": ("analytics-kotlin",),
        "analytics-flutter": ("analytics-flutter",),
        "analytics-python": ("analytics-python", "segment-analytics-python"),
        "analytics-ruby": ("analytics-ruby",),
        "analytics-go": ("analytics-go",),
        "analytics-java": ("analytics-java",),
        "analytics-php": ("analytics-php",),
        "analytics.net": ("analytics.net", "analytics-csharp"),
        "rudder.js": ("RudderLabs JavaScript SDK", "rudder-sdk-js"),
        "rudder-node": ("@rudderstack/rudder-sdk-node", "rudder-sdk-node"),
        "rudder-android": ("com.rudderstack.android.sdk.core", "com.rudderstack.android.sdk"),
        "rudder-ios": ("rudder-ios-library", "rudder-ios-sdk"),
        "rudder-python": ("rudder-analytics-python", "rudder-sdk-python"),
        "jitsu.js": ("@jitsu/js",),
        "amplitude.js": ("amplitude-ts", "amplitude-js", "amplitude-ts-sdk"),
        "posthog.js": ("posthog-js", "web"),
        "snowplow.js": ("snowplow-javascript-tracker",),
    }.items()
    for name in names
}


class _Context(msgspec.Struct, gc=False):
    library: Any = None
    app: Any = None


class _Body(msgspec.Struct, gc=False):
    context: _Context | None = None
    batch: list[Any] | None = None


_read = msgspec.json.Decoder(_Body).decode
_known: dict[tuple[str, str, str, str], str] = {}


def producer_of(event: Event) -> str:
    """For example "analytics.js 1.84", or with the application's version "analytics-ios 4.1 app 2.7"."""
    return _producer(event.context.get("library"), event.context.get("app"), event.vendor)


def producer_in(value: bytes | None) -> str:
    """The producer of bytes that were refused, as far as they can be read as calls of the analytics.js form."""
    if not value or len(value) > _MAX_BYTES:
        return NO_PRODUCER
    try:
        body = _read(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return NO_PRODUCER
    context = body.context
    if context is None and body.batch and type(body.batch[0]) is dict:
        first = body.batch[0].get("context")
        if type(first) is dict:
            return _producer(first.get("library"), first.get("app"), "")
    return NO_PRODUCER if context is None else _producer(context.library, context.app, "")


def _producer(library: Any, app: Any, vendor: str) -> str:
    name, version = _text(library, "name"), _text(library, "version")
    key = name, version, _text(app, "version"), vendor
    found = _known.get(key)
    if found is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        found = _known[key] = _words(*key)
    return found


def _words(name: str, version: str, app: str, vendor: str) -> str:
    if not name:
        return vendor or NO_PRODUCER
    sdk = f"{_NAMES.get(name.lower(), OTHER)} {_short(version)}".rstrip()
    return f"{sdk} app {_short(app)}" if _short(app) else sdk


def _text(of: Any, key: str) -> str:
    found = of.get(key) if type(of) is dict else None
    return found[:_MAX_CHARS] if type(found) is str else ""


def _short(version: str) -> str:
    found = _VERSION.search(version)
    return "" if found is None else ".".join(part for part in found.groups() if part)
