"""Dead letters are kept, can be listed and can be redriven."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, NotFound, StorageError
from maestro_flow.model.commit import Outcome
from maestro_flow.model.inbox import MessageState
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.protocol import Storage

__all__ = ["DeadLetters"]


def bury(node: Node, *names: str) -> None:
    """Put messages into the node's first group, and settle them as dead letters."""
    for name in names:
        node.store.send(message_to(node.group_id, name))
        assert node.commit(node.settle(name, f"traceback of {name}", dead=True)) == [Outcome.DONE]


class DeadLetters(Concern):
    """Messages that could not be handled are out of the way, and not lost (PROTOCOL 17)."""

    def test_dead_letters_of_all_groups_are_listed_page_by_page(self, node: Node, second: Storage) -> None:
        """PROTOCOL 17."""
        other = Node(node.store, "boris")
        other.claim()
        bury(node, "a", "b", "c")
        bury(other, "d")
        node.store.send(message_to(node.group_id, "waiting"))
        node.commit(node.settle("waiting"))
        everything = second.dead_letters()
        assert {(m.group_id, m.message_id, m.outcome, m.state) for m in everything} == {
            *((node.group_id, name, f"traceback of {name}", MessageState.DEAD) for name in "abc"),
            (other.group_id, "d", "traceback of d", MessageState.DEAD),
        }
        assert [(m.group_id, m.sequence) for m in everything] == sorted((m.group_id, m.sequence) for m in everything)
        paged, after = [], (-1, 0)
        while page := second.dead_letters(after=after, limit=1):
            paged += page
            after = (page[-1].group_id, page[-1].sequence)
        assert paged == everything

    def test_a_store_without_dead_letters_has_an_empty_page(self, store: Storage) -> None:
        """PROTOCOL 17."""
        assert store.dead_letters() == []

    def test_a_dead_letter_waits_again_at_the_end(self, node: Node) -> None:
        """PROTOCOL 17: an owner that is past its old sequence receives it as if it were new."""
        node.store.receive(node.lease)
        bury(node, "poison")
        later = node.store.send(message_to(node.group_id, "later"))
        assert [m.message_id for m in node.store.receive(node.lease)] == ["later"]
        again = node.store.redrive(node.group_id, "poison")
        assert (again.state, again.deliveries, again.outcome) == (MessageState.WAITING, 0, "")
        assert again.sequence > later.sequence
        assert again == message_to(node.group_id, "poison")
        (received,) = node.store.receive(node.lease, after=later.sequence)
        assert (received.message_id, received.deliveries) == ("poison", 1)
        assert node.store.dead_letters() == []
        assert node.commit(node.settle("poison", "handled")) == [Outcome.DONE]

    def test_a_message_that_fails_again_is_a_dead_letter_again(self, node: Node) -> None:
        """PROTOCOL 17."""
        bury(node, "poison")
        node.store.redrive(node.group_id, "poison")
        assert node.commit(node.settle("poison", "still", dead=True)) == [Outcome.DONE]
        (dead,) = node.store.dead_letters()
        assert (dead.message_id, dead.outcome) == ("poison", "still")

    def test_a_message_that_waits_already_is_left_as_it_is(self, node: Node) -> None:
        """PROTOCOL 6: the call may be repeated."""
        bury(node, "poison")
        first = node.store.redrive(node.group_id, "poison")
        again = node.store.redrive(node.group_id, "poison")
        assert (again.sequence, again.state) == (first.sequence, MessageState.WAITING)

    def test_what_was_settled_keeps_its_outcome(self, node: Node) -> None:
        """PROTOCOL 16."""
        node.store.send(message_to(node.group_id))
        node.commit(node.settle("m1"))
        with pytest.raises(Conflict, match="m1"):
            node.store.redrive(node.group_id, "m1")

    def test_redriving_an_unknown_message_is_an_error(self, node: Node) -> None:
        """PROTOCOL 16: the error names it."""
        with pytest.raises(NotFound, match="nobody"):
            node.store.redrive(node.group_id, "nobody")
        with pytest.raises(StorageError, match="no group"):
            node.store.redrive(node.store.group_count, "nobody")

    def test_purging_leaves_dead_letters(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 17: a person has to look at it."""
        bury(node, "poison")
        clock.advance(1e6)
        node.store.purge_messages(settled_before=clock.time())
        assert [m.message_id for m in node.store.dead_letters()] == ["poison"]
