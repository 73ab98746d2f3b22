"""Many threads at once. The outcomes are checked for what must hold in any order; nothing here waits for time."""

from __future__ import annotations

import threading
from functools import partial

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Lease, Outcome, Owner, StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, letter
from maestro_flow.storage.conformance.threads import at_once, check_takeover_under_commits
from maestro_flow.storage.protocol import Storage

__all__ = ["Concurrency"]

_THREADS = 6
_ROUNDS = 10
_COMMITS = 20


class Concurrency(Concern):
    """Every verb may be called from any thread; what a test of one thread shows holds for many."""

    def test_no_group_is_claimed_twice(self, store: Storage) -> None:
        """PROTOCOL 3, 11: claimers get disjoint groups, and together all of them."""

        def claim_all(owner: Owner) -> list[Lease]:
            calls = range(store.group_count)
            return [lease for _ in calls for lease in store.claim(owner, lease_s=LEASE_S, limit=3)]

        claims = at_once(*(partial(claim_all, Owner(f"o{number}")) for number in range(_THREADS)))
        groups = [lease.group_id for leases in claims for lease in leases]
        assert sorted(groups) == list(range(store.group_count))

    def test_a_claim_and_the_commits_of_the_old_owner_exclude_each_other(
        self, clock: ManualClock, store: Storage
    ) -> None:
        """PROTOCOL 3, 10, 11: what the new owner reads after its claim is all there will ever be of the old one."""
        for number in range(_ROUNDS):
            check_takeover_under_commits(clock, store, store, f"w/{number}/1")

    def test_one_request_from_many_threads_is_one_run(self, store: Storage) -> None:
        """PROTOCOL 18."""
        store.push("w", b"{}")
        answers = at_once(*(partial(store.start, [StartRequest("w", "r1", group_id)]) for group_id in range(_THREADS)))
        runs = [run for answer in answers for run in answer]
        assert len({(run.flow_id, run.group_id) for run in runs}) == 1
        assert [run.fresh for run in runs].count(True) == 1

    def test_instances_are_numbered_densely_under_threads(self, store: Storage) -> None:
        """PROTOCOL 18."""
        store.push("w", b"{}")

        def start_some(name: str) -> list[int]:
            return [store.start([StartRequest("w", f"{name}-{n}", 0)])[0].instance_id for n in range(_COMMITS)]

        answers = at_once(*(partial(start_some, f"t{number}") for number in range(_THREADS)))
        numbers = [number for answer in answers for number in answer]
        assert sorted(numbers) == list(range(1, _THREADS * _COMMITS + 1))

    def test_one_message_from_many_threads_is_one_message(self, node: Node) -> None:
        """PROTOCOL 16."""
        sent = at_once(*[partial(node.store.send, letter(node.group_id))] * _THREADS)
        assert len({message.sequence for message in sent}) == 1
        assert len(node.store.receive(node.lease)) == 1

    def test_one_body_from_many_threads_is_one_version(self, store: Storage) -> None:
        """PROTOCOL 6."""
        assert at_once(*[partial(store.push, "w", b"{}")] * _THREADS) == [1] * _THREADS

    def test_commits_of_many_threads_to_their_own_groups_are_all_there(self, store: Storage) -> None:
        """PROTOCOL 7, 8."""
        nodes = [Node(store, f"n{number}") for number in range(_THREADS)]
        for node in nodes:
            node.claim()

        def commit_all(node: Node) -> list[Outcome]:
            return [
                outcome
                for revision in range(1, _COMMITS + 1)
                for outcome in node.commit(
                    node.write(f"{node.name}/1/1", revision), node.write(f"{node.name}/2/1", revision)
                )
            ]

        outcomes = at_once(*(partial(commit_all, node) for node in nodes))
        assert outcomes == [[Outcome.DONE] * (2 * _COMMITS)] * _THREADS
        for node in nodes:
            positions = [record.position for record in store.read_log(node.group_id)]
            assert positions == list(range(1, 2 * _COMMITS + 1))

    def test_a_reader_that_follows_the_log_misses_nothing(self, node: Node) -> None:
        """PROTOCOL 7: what appears is always beyond what was there."""

        finished = threading.Event()

        def write() -> None:
            try:
                for revision in range(1, _COMMITS + 1):
                    node.commit(node.write("w/1/1", revision))
            finally:
                finished.set()

        def follow() -> list[int]:
            seen: list[int] = []
            is_last = False
            while not is_last:
                is_last = finished.is_set()
                seen += [record.position for record in node.store.read_log(node.group_id, after=max(seen, default=0))]
            return seen

        assert at_once(write, follow)[1] == list(range(1, _COMMITS + 1))
