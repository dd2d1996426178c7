"""Clean records: made some hundred at a time they are byte for byte what each is alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.domain.experiment import NO_TRIAL
from tamis.domain.pseudonym import EventIds, ProofIds, position_block, tokens_of
from tamis.records.outbox import Outbox, Row
from tamis.records.outputs import CleanEvent, encode_clean

EVENT_IDS, PROOFS = EventIds(b"e" * 32), ProofIds(b"p" * 32)


def row(number: int = 0, **over: Any) -> Row:
    given_ = {
        "subject": f"v1.clean.1.{number}", "name": "page", "rule": "", "stage": "", "value": None, "occurred_at": 1000,
        "fields": {"n": number}, "trial": NO_TRIAL, "previous": "", "bot": "",
    }  # fmt: skip
    return (bytes([number]) * 16, position_block(0, number, 0), *(given_ | over).values())  # type: ignore[return-value]


def alone(given_: Row) -> bytes:
    """What ``encode_clean`` gives for a row."""
    tag, position, subject, name, rule, stage, value, occurred_at, fields, (experiment, variant), prev, bot = given_
    (event_id,), (proof_id,) = tokens_of(EVENT_IDS.encipher([tag])), tokens_of(PROOFS.encipher([position]))
    return encode_clean(
        CleanEvent(
            event_id=event_id.decode(), proof_id=proof_id.decode(), subject=subject, name=name, rule=rule, stage=stage,
            value=value, occurred_at=occurred_at, fields=fields, experiment=experiment, variant=variant, pid_prev=prev,
            bot=bot,
        )
    )  # fmt: skip


def together(rows: list[Row]) -> list[tuple[bytes | None, bytes]]:
    box = Outbox(EVENT_IDS, PROOFS)
    for number, each in enumerate(rows):
        box.add(each)
        if number % 3 == 1:
            box.encode()
    return box.records()


@pytest.mark.parametrize("odd", ["line\nfeed", "\u2028\r\n", "é", 2**63 - 1, 1e300, True])
def test_records_of_a_batch_equal_those_of_each_event(odd: Any) -> None:
    rows = [row(1, fields={}), row(2, fields={"plan": odd}), row(3, name=f"Plan\nSeen {odd}"), row(4)]
    assert [value for _, value in together(rows)] == [alone(each) for each in rows]


scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=9)
)
words = st.sampled_from(["", "video_75", "a b"])
rows_of_any_kind = st.builds(
    row,
    st.integers(0, 255),
    name=st.text(max_size=9),
    rule=words,
    stage=words,
    value=st.none() | st.sampled_from([0, 1, 0.0, -0.0, 1.0, 12.5, 1e16, 1e-9, 1.7976931348623157e308]),
    occurred_at=st.integers(0, 2**53),
    fields=st.dictionaries(st.text("abc_", max_size=3), scalars, max_size=4),
    trial=st.tuples(words, words),
    previous=st.sampled_from(["", "v1.clean.1.abc"]),
    bot=st.sampled_from(["", "crawler"]),
)


@given(st.lists(rows_of_any_kind, max_size=6))
def test_any_record_of_a_batch_equals_that_of_its_event(rows: list[Row]) -> None:
    assert together(rows) == [(each[2].encode(), alone(each)) for each in rows]


def test_an_outbox_gives_one_record_for_each_event_in_order() -> None:
    assert together([]) == []
    records = together([row(number) for number in range(3)])
    assert [key for key, _ in records] == [b"v1.clean.1.0", b"v1.clean.1.1", b"v1.clean.1.2"]
    values = [json.loads(value) for _, value in records]
    assert [value["fields"]["n"] for value in values] == [0, 1, 2]
    assert [PROOFS.position(value["proof_id"])[1] for value in values] == [0, 1, 2]
