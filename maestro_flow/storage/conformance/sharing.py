"""Two nodes that have opened the same store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome, StartRequest
from maestro_flow.storage.conformance.base import Concern, Opener
from maestro_flow.storage.conformance.node import LEASE_S, Node, letter
from maestro_flow.storage.conformance.threads import at_once, check_takeover_under_commits
from maestro_flow.storage.protocol import Storage

__all__ = ["Sharing"]


class Sharing(Concern):
    """What one node has written, the other one sees at once. Only for stores that several processes can open."""

    @pytest.fixture
    def guest(self, opener: Opener) -> Iterator[Node]:
        """A node with the same store, opened a second time."""
        store = opener()
        yield Node(store, "boris")
        store.close()

    def test_a_group_is_held_by_one_of_them(self, node: Node, guest: Node) -> None:
        """PROTOCOL 3."""
        guest.claim(guest.store.group_count)
        assert node.group_id not in {lease.group_id for lease in guest.leases}
        assert node.renew().claimable == 0

    def test_a_takeover_through_one_fences_the_other(self, clock: ManualClock, node: Node, guest: Node) -> None:
        """PROTOCOL 3, 10."""
        node.commit(node.write("w/1/1", 1))
        clock.advance(LEASE_S)
        guest.claim(guest.store.group_count)
        guest.leases.sort(key=lambda lease: lease.group_id != node.group_id)
        assert [flow.entry.flow_id for flow in guest.store.load_flows(node.group_id)] == ["w/1/1"]
        assert node.commit(node.write("w/1/1", 2)) == [Outcome.OWNERSHIP_LOST]
        assert guest.commit(guest.write("w/1/1", 2)) == [Outcome.DONE]

    def test_messages_and_starts_reach_the_owner_from_anywhere(self, node: Node, guest: Node) -> None:
        """PROTOCOL 16, 18."""
        guest.store.push("w", b"{}")
        guest.store.start([StartRequest("w", "r1", node.group_id)])
        guest.store.send(letter(node.group_id))
        renewal = node.renew()
        assert renewal.mail == renewal.given == {node.group_id}
        node.commit(node.settle("m1", "refused"))
        answer = guest.store.send(letter(node.group_id))
        assert answer.outcome == "refused"

    def test_a_claim_through_one_and_commits_through_the_other_exclude_each_other(
        self, clock: ManualClock, store: Storage, guest: Node
    ) -> None:
        """PROTOCOL 3, 10, 11, 12: the fence holds between two handles as it does between two threads."""
        for number in range(5):
            check_takeover_under_commits(clock, store, guest.store, f"w/{number}/1")

    def test_starts_through_both_are_numbered_densely(self, store: Storage, guest: Node) -> None:
        """PROTOCOL 18."""
        store.push("w", b"{}")

        def start_some(through: Storage, name: str) -> list[int]:
            return [through.start([StartRequest("w", f"{name}-{n}", 0)])[0].instance_id for n in range(20)]

        answers = at_once(partial(start_some, store, "here"), partial(start_some, guest.store, "there"))
        assert sorted(answers[0] + answers[1]) == list(range(1, 41))
