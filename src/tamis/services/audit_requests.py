"""Asks the sealer (``audit.requests``) and reads what it said (``audit.control``), for commands."""

from collections.abc import Iterable

from tamis.domain.audit.control import ControlError, ControlState, decode_control
from tamis.domain.audit.requests import ENROLMENT_LABEL, Request, encode_request, enrolment_key
from tamis.kafka.reader import read_topic
from tamis.kafka.sealing import Publisher
from tamis.keys.provider import open_keys
from tamis.records.topics import Topic
from tamis.settings import Settings, SetupError


def send_requests(settings: Settings, requests: Iterable[Request]) -> None:
    """Sign requests and write them.

    Raises:
        SetupError: the root key is not there, or the cluster does not take them.
    """
    sign = enrolment_key(open_keys(settings).derive(ENROLMENT_LABEL)).sign
    records = [(b"", encode_request(request, sign)) for request in requests]
    Publisher(settings.kafka).publish(settings.topic(Topic.AUDIT_REQUESTS), records)


def control_leaves(settings: Settings) -> list[bytes]:
    """The leaves of the control log as its topic holds them, each once.

    Raises:
        SetupError: the topic is missing, or holds what no sealer wrote.
    """
    leaves: list[bytes] = []
    topic = settings.topic(Topic.AUDIT_CONTROL)
    for record in read_topic(settings.kafka, topic):
        value = record.value or b""
        try:
            seq = decode_control(value).seq
        except ValueError as error:
            raise SetupError(f"{topic}: offset {record.offset} is no leaf of the control log: {error}") from None
        if seq == len(leaves):
            leaves.append(value)
        elif seq > len(leaves) or leaves[seq] != value:
            raise SetupError(f"{topic}: offset {record.offset} holds leaf {seq} where {len(leaves)} is due")
    return leaves


def control_state(settings: Settings) -> ControlState:
    """What the control log says now.

    Raises:
        SetupError: the topic is missing, or holds what no sealer wrote.
    """
    state = ControlState(settings.audit.origin)
    try:
        for value in control_leaves(settings):
            state.add(decode_control(value))
    except ControlError as error:
        raise SetupError(str(error)) from None
    return state
