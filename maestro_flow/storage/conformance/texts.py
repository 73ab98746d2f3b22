"""All text comes back unchanged, except what the model refuses (``model.text``)."""

from __future__ import annotations

import pytest

from maestro_flow.model.commit import Commit, Outcome, Settlement
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.text import escaped
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, message_to

__all__ = ["Texts"]

_TEXTS = [
    "".join(map(chr, range(1, 0x20))),
    "\x7f\x80\x9f\xa0\ufeff\ufffe\uffff",
    "a\r\nb\n\r\tc ",
    "\\u0000 \\x00 \\0 %s %(a)s {0} $1 :a ?",
    "'\"`;--/*",
    "e\u0301 \u00e9 \u202e\u05d0 \U0001f600\U0010ffff",
    " ",
]
_NO_TEXTS = ["a\0b", "\ud800", "\udfff\ud800"]


class Texts(Concern):
    """Ids are compared character by character, and nothing in them is replaced, folded or truncated."""

    @pytest.mark.parametrize("text", _TEXTS, ids=ascii)
    def test_text_comes_back_unchanged(self, node: Node, text: str) -> None:
        """PROTOCOL 16, 18: in ids, kinds and outcomes of messages, and in request ids."""
        node.store.send(message_to(node.group_id, text, flow_id=text))
        assert node.commit(Commit(node.lease, settles=(Settlement(text, text),))) == [Outcome.DONE]
        message = node.store.message(node.group_id, text)
        assert message is not None
        assert (message.message_id, message.flow_id, message.outcome) == (text, text, text)
        node.store.push("w", b"{}")
        (first,), (again,) = (node.store.start([StartRequest("w", text, node.group_id)]) for _ in range(2))
        assert (first.request_id, again.request_id, again.flow_id) == (text, text, first.flow_id)

    @pytest.mark.parametrize("text", _NO_TEXTS, ids=ascii)
    def test_a_traceback_with_characters_that_no_store_can_hold_is_escaped(self, node: Node, text: str) -> None:
        """PROTOCOL 17: the dead letter says what happened, with such characters escaped."""
        node.store.send(message_to(node.group_id))
        assert node.commit(node.settle("m1", escaped(f"ValueError: {text}"), dead=True)) == [Outcome.DONE]
        message = node.store.message(node.group_id, "m1")
        assert message is not None
        spelled = text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()
        assert message.outcome == f"ValueError: {spelled}"
