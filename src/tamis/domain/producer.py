"""Who made an event: the SDK and its version, and the version of the app it is built into.

Rules: told in the words of this file and of the policy, and in version numbers, so that nothing else a sender writes
can get into a label or a quarantine record; a name that is not known is ``other``; where none is told the vendor's name
stands, or ``-``. Versions keep their numbers and the words alpha, beta, rc.
Form: ``<sdk>/<version>`` and, where the app says its own, `` app/<version>``: ``analytics.js/1.84.3 app/2.3.0``.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tamis.domain.event import Event

UNKNOWN = "-"
OTHER = "other"
NAMES = (
    # Segment, and those who took its form
    "analytics.js", "analytics-python", "analytics-node", "@segment/analytics-node", "@segment/analytics-next",
    "analytics-ruby", "analytics-java", "analytics-go", "analytics-php", "analytics-ios", "analytics-android",
    "analytics-swift", "analytics-kotlin", "analytics-dotnet", "analytics.net", "analytics-react-native",
    "@segment/analytics-react-native", "analytics-flutter", "analytics-rust", "analytics.php", "analytics_ruby",
    "rudderlabs-javascript-sdk", "rudder-sdk-node", "rudder-sdk-python", "rudder-sdk-go", "rudder-sdk-ruby",
    "rudder-ios-library", "rudderstack-ios", "com.rudderstack.android.sdk.core", "com.rudderstack.android",
    "rudder-sdk-react-native", "rudder-analytics-python", "rudderstack-flutter", "@jitsu/js", "jitsu-js", "@jitsu/node",
    # Amplitude
    "amplitude-js", "amplitude-ts", "amplitude-node", "amplitude-node-ts", "amplitude-python", "amplitude-java",
    "amplitude-android", "amplitude-analytics-android", "amplitude-ios", "amplitude-swift", "amplitude-flutter",
    "amplitude-react-native", "amplitude-react-native-ts", "amplitude-go", "amplitude-unity", "amplitude-kotlin",
    # PostHog
    "posthog-js", "posthog-js-lite", "posthog-node", "posthog-python", "posthog-ruby", "posthog-php", "posthog-go",
    "posthog-java", "posthog-android", "posthog-ios", "posthog-flutter", "posthog-react-native", "posthog-rs",
    "posthog-elixir", "posthog-dotnet",
)  # fmt: skip
SHORT = (  # what Snowplow's trackers, Mixpanel's and PostHog's clients call themselves: told after the vendor's name
    "js", "node", "py", "python", "andr", "android", "ios", "iphone", "java", "rb", "ruby", "golang", "go", "php",
    "unity", "unreal", "rn", "react-native", "flutter", "dart", "cpp", "rust", "scala", "amp", "roku", "lua", "dotnet",
    "osx", "tvos", "watchos", "webview", "web", "swift", "objc", "jql",
)  # fmt: skip
CALLS = frozenset(("segment", "rudderstack", "jitsu"))
"""Vendors of the analytics.js form."""
_KNOWN = frozenset((*NAMES, *SHORT))
_LIBRARY_KEYS = ("library", "$lib", "mp_lib", "v_tracker", "tv", "sdk", "client")
_VERSION_KEYS = ("$lib_version", "sdk_version", "library_version")
_APP_KEYS = ("$app_version", "$app_version_string", "app_version", "version_name", "application_version")
_VERSION = re.compile(r"(?<![0-9A-Za-z.])v?(\d{1,4}(?:\.\d{1,5}){1,3}(?:-(?:alpha|beta|rc)(?:\.?\d{1,3})?)?)")
_LEADING = re.compile(r"[^0-9/\s]{1,60}")
_MAX_CHARS = 120


def producer_of(event: Event, known: Collection[str] = ()) -> str:
    """The producer of an event.

    Args:
        event: as decoded.
        known: further names of SDKs, lower case.
    """
    context = event.context
    if event.vendor in CALLS:  # these say it in one place
        return producer_in((context if "library" in context else {},), known, event.vendor)
    holders = (context, context.get("properties"), context.get("application_info"), event.properties)
    return producer_in(holders, known, event.vendor)


def producer_in(holders: Iterable[Any], known: Collection[str] = (), unnamed: str = UNKNOWN) -> str:
    """The producer that some objects name; those that are none are passed over.

    Args:
        holders: nearest first.
        known: further names of SDKs, lower case.
        unnamed: the name where none is told.
    """
    objects = [each for each in holders if isinstance(each, Mapping)]
    usual = next((each for each in objects if isinstance(each.get("library"), Mapping)), None)
    name, version, app = _elsewhere(objects, known, unnamed) if usual is None else _usual(usual, known)
    if name in SHORT and unnamed != UNKNOWN:
        name = f"{unnamed}-{name}"
    return f"{name}{'/' if version else ''}{version}{' app/' if app else ''}{app}"


def _usual(context: Mapping[str, Any], known: Collection[str]) -> tuple[str, str, str]:
    """SDK, version and app's version of a context in the analytics.js form."""
    library, app = context["library"], context.get("app")
    name = library.get("name")
    version = ""
    if isinstance(app, Mapping) and app.get("name") != name:  # some SDKs name themselves as the app
        version = _version(app.get("version"))
    return _name(name, known), _version(library.get("version")), version


def _elsewhere(objects: list[Mapping[str, Any]], known: Collection[str], unnamed: str) -> tuple[str, str, str]:
    app = _first(objects, _APP_KEYS)
    for holder in objects:
        for key in _LIBRARY_KEYS:
            said = holder.get(key)
            if isinstance(said, str) and said:
                return _name(said, known), _version(said) or _first(objects, _VERSION_KEYS), app
    return unnamed, _first(objects, _VERSION_KEYS), app


def _first(objects: list[Mapping[str, Any]], keys: tuple[str, ...]) -> str:
    for holder in objects:
        for key in keys:
            version = _version(holder.get(key))
            if version:
                return version
    return ""


def _name(said: Any, known: Collection[str]) -> str:
    if not isinstance(said, str):
        return OTHER
    text = "-".join(said[:_MAX_CHARS].lower().split())
    start = _LEADING.match(text)
    for each in (text, text.partition("/")[0], "" if start is None else start[0].rstrip("-_v.")):
        if each in _KNOWN or (each and each in known):
            return each
    return OTHER


def _version(said: Any) -> str:
    if not isinstance(said, str):
        return ""
    found = _VERSION.search(said[:_MAX_CHARS].lower())
    return "" if found is None else found[1]
