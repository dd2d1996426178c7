"""Field actions, one by one."""

from typing import Any

import pytest

from tamis.domain.minimise.bucket import bucket
from tamis.domain.minimise.ip import network
from tamis.domain.minimise.keep import keep
from tamis.domain.minimise.text import MAX_TEXT_CHARS
from tamis.domain.minimise.truncate import truncate
from tamis.domain.minimise.user_agent import agent_class


@pytest.mark.parametrize("value", ["team", "A-1 blue", "été", 0, 1, -(2**63), 2**63 - 1, 0.5, True, False])
def test_keep_keeps_scalars(value: Any) -> None:
    kept = keep(value)
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    "value", [None, "", [], ["a"], {}, {"a": 1}, 2**63, 10**400, float("inf"), float("nan"), "\ud800", "a\udfff b"]
)
def test_keep_leaves_out_the_rest(value: Any) -> None:
    assert keep(value) is None


@pytest.mark.parametrize("text", ["x" * 5_000, "é" * 5_000, "a b " * 2_000])
def test_kept_text_is_bounded(text: str) -> None:
    assert keep(text) == text[:MAX_TEXT_CHARS]


@pytest.mark.parametrize(
    ("value", "cut"),
    [("en-US", "en"), ("e", "e"), ("", None), (None, None), (12345, None), (True, None), ("?q", None), ("éàü", "éà")],
)
def test_truncate(value: Any, cut: str | None) -> None:
    assert truncate({"chars": 2})(value) == cut


@pytest.mark.parametrize(
    ("size", "value", "edge"),
    [
        (50, 149, 100), (50, 150, 150), (50, -1, -50), (50, 149.9, 100), (50, 2**63 - 1, (2**63 - 1) // 50 * 50),
        (0.5, 1.7, 1.5), (0.5, 3, 3.0), (50, True, None), (50, "149", None), (50, None, None), (50, 2**63, None),
        (50, float("inf"), None), (50, float("nan"), None), (5e-324, 1e300, None), (50, [1], None),
        (7, -(2**63), None), (0.1, 1e300, None),
    ],
)  # fmt: skip
def test_bucket_of_numbers(size: float, value: Any, edge: float | None) -> None:
    assert bucket({"size": size})(value) == edge


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("2026-11-20T10:59:59.999Z", 1_795_168_800_000),
        ("2026-11-20T12:59:59+02:00", 1_795_168_800_000),
        ("2026-11-20T10:59:59", 1_795_168_800_000),
        (1_795_168_800_000 + HOUR - 1, 1_795_168_800_000),
        ("yesterday", None), ("", None), (None, None), (True, None), (1.5, None), (-1, None), ("0001-01-01", None),
        ("2026-11-20T10:59:59Z" + " " * 50, None), (2**70, None), (["2026-11-20"], None),
    ],
)  # fmt: skip
def test_bucket_of_times(value: Any, start: int | None) -> None:
    assert bucket({"every_ms": HOUR})(value) == start


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("0.0.0.0", "0.0.0.0/24"),
        ("2001:db8:1:2::77", "2001:db8:1::/48"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("203.0.113", None), ("203.0.113.256", None), ("203.0.113.07", None), ("203.0.113.7 ", None),
        ("1.2.3.4.5", None),
        ("٣.0.113.7", None), (":::", None), ("", None), ("x" * 100, None), (None, None), (16909060, None),
        ("203.0.113.7:80", None), ("203.0.113.7, 10.0.0.1", None),
    ],
)  # fmt: skip
def test_network(address: Any, found: str | None) -> None:
    assert network(address) == found


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "found"),
    [
        (WINDOWS, "chrome windows desktop"),
        (WINDOWS + " Edg/130.0.0.0", "edge windows desktop"),
        (IPHONE, "safari ios mobile"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Firefox/132.0", "firefox macos desktop"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/130.0 Mobile Safari/537.36", "chrome android mobile"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X200) Chrome/130.0 Safari/537.36", "chrome android tablet"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541) Chrome/130.0 Safari/537.36", "chrome chromeos desktop"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "other other bot"),
        ("jane.doe@example.test", "other other other"),
        ("", None), (None, None), (7, None), (["Chrome/"], None),
    ],
)  # fmt: skip
def test_agent_class(agent: Any, found: str | None) -> None:
    assert agent_class(agent) == found
