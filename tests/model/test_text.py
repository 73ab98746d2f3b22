"""What no store can hold is refused by the model, so that every store refuses the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maestro_flow.errors import ValueNotStorable
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.text import escaped, is_storable
from maestro_flow.storage.protocol import RunQuery

NO_TEXTS = ["a\0b", "\0", "\ud800", "x\udfff"]


@pytest.mark.parametrize("text", NO_TEXTS, ids=ascii)
@pytest.mark.parametrize(
    "make",
    [
        lambda text: Message(0, text, "w/1/1", "stop"),
        lambda text: Message(0, "m", text, "stop"),
        lambda text: Message(0, "m", "w/1/1", text),
        lambda text: Settlement("m", text),
        lambda text: StartRequest(text, "r", 0),
        lambda text: StartRequest("w", text, 0),
        lambda text: StartRequest("w", "r", 0, parent=text),
        lambda text: RunQuery(workflow_id=text),
        lambda text: RunQuery(parent=text),
    ],
)
def test_a_record_with_text_that_no_store_can_hold_cannot_be_made(make: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueNotStorable, match="NUL or a lone surrogate"):
        make(text)


@pytest.mark.parametrize("text", NO_TEXTS, ids=ascii)
def test_text_for_people_is_spelled_out(text: str) -> None:
    assert is_storable(escaped(text))
    assert not is_storable(text)


@pytest.mark.parametrize("text", ["", "a", "\x01\x7f", "\u00e9\U0001f600\uffff"], ids=ascii)
def test_all_other_text_is_left_as_it_is(text: str) -> None:
    assert is_storable(text)
    assert escaped(text) == text


def test_the_long_text_of_an_error_is_cut() -> None:
    with pytest.raises(ValueNotStorable) as refusal:
        Settlement("m", "\0" * 100_000)
    assert len(str(refusal.value)) < 600
