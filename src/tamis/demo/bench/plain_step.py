"""A careful plain step: what a good programmer writes by hand for a part of the job, as a yardstick.

Decodes the fields it needs, takes consent from the event itself, keeps pseudonyms in a dict, writes a clean record, a
CRM record and an audit line. It has no consent table, rules, policy, allow-lists, commitments, tree or counts.
"""

from typing import Any

import msgspec

from tamis.domain.keyed import token

_MAX_PSEUDONYMS = 100_000


class _Choices(msgspec.Struct, frozen=True, gc=False):
    Analytics: bool = False
    Advertising: bool = False


class _Consent(msgspec.Struct, frozen=True, gc=False):
    categoryPreferences: _Choices = _Choices()  # noqa: N815 - the wire's own name


class _Page(msgspec.Struct, frozen=True, gc=False):
    path: str | None = None


class _Context(msgspec.Struct, frozen=True, gc=False):
    ip: str | None = None
    page: _Page = _Page()
    campaign: dict[str, Any] | None = None
    consent: _Consent = _Consent()


class _Properties(msgspec.Struct, frozen=True, gc=False):
    value: float | None = None
    currency: str | None = None
    sku: str | None = None
    stage: str | None = None


class _Call(msgspec.Struct, frozen=True, gc=False):
    messageId: str  # noqa: N815 - the wire's own name
    event: str
    anonymousId: str  # noqa: N815 - the wire's own name
    timestamp: str
    context: _Context = _Context()
    properties: _Properties = _Properties()


class _Clean(msgspec.Struct, frozen=True, gc=False):
    event_id: str
    name: str
    at: str
    subject: str
    network: str | None
    path: str | None
    campaign: dict[str, Any] | None
    value: float | None
    currency: str | None
    sku: str | None
    stage: str | None


class _Crm(msgspec.Struct, frozen=True, gc=False):
    event_id: str
    name: str
    at: str
    subject: str
    value: float | None
    currency: str | None


_decode = msgspec.json.Decoder(_Call).decode
_encode = msgspec.json.Encoder().encode


class PlainStep:
    """The step, with one key for each of the two outputs."""

    def __init__(self, clean_key: bytes, crm_key: bytes) -> None:
        self._clean, self._crm = token(clean_key), token(crm_key)
        self._pseudonyms: dict[str, tuple[str, str]] = {}

    def run(self, values: list[bytes]) -> None:
        """All of a batch; what it makes is dropped."""
        clean: list[bytes] = []
        crm: list[bytes] = []
        audit: list[bytes] = []
        for offset, value in enumerate(values):
            try:
                call = _decode(value)
            except msgspec.DecodeError:
                audit.append(f'{{"v":1,"o":{offset},"why":"malformed"}}'.encode())
                continue
            names = self._pseudonyms.get(call.anonymousId) or self._fill(call.anonymousId)
            context, own = call.context, call.properties
            choices = context.consent.categoryPreferences
            if choices.Analytics:
                network = context.ip[: context.ip.rfind(".")] + ".0" if context.ip else None
                clean.append(_encode(_Clean(
                    call.messageId, call.event, call.timestamp, names[0], network, context.page.path, context.campaign,
                    own.value, own.currency, own.sku, own.stage,
                )))  # fmt: skip
            if choices.Advertising:
                crm.append(_encode(_Crm(
                    call.messageId, call.event, call.timestamp, names[1], own.value, own.currency,
                )))  # fmt: skip
            audit.append(
                f'{{"v":1,"o":{offset},"eid":"{call.messageId}","subject":"{names[0]}","analytics":{choices.Analytics:d},'
                f'"advertising":{choices.Advertising:d},"why":"consent"}}'.encode()
            )

    def _fill(self, anonymous_id: str) -> tuple[str, str]:
        if len(self._pseudonyms) >= _MAX_PSEUDONYMS:
            self._pseudonyms.clear()
        raw = anonymous_id.encode()
        names = self._pseudonyms[anonymous_id] = self._clean(raw), self._crm(raw)
        return names
