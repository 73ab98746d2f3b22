"""Many threads at once, on two handles. The checks hold in any order; nothing here depends on timing."""

from __future__ import annotations

from functools import partial
from itertools import cycle

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.conformance.threads import at_once, check_takeover_under_commits, seen_meanwhile
from maestro_flow.storage.protocol import Storage

__all__ = ["Concurrency"]

_THREADS = 6
_ROUNDS = 10
_COMMITS = 20
_FOREVER_S = 1e9


class Concurrency(Concern):
    """Every verb may be called from any thread; what tests with one thread show holds for many."""

    def test_no_group_is_claimed_twice(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 3, 11: claimers get disjoint groups, and together all groups."""

        def claim_all(through: Storage, owner: Owner) -> list[Lease]:
            calls = range(store.group_count)
            return [lease for _ in calls for lease in through.claim(owner, lease_s=LEASE_S, limit=3)]

        handles = zip(range(_THREADS), cycle((store, second)), strict=False)
        claims = at_once(*(partial(claim_all, through, Owner(f"o{number}")) for number, through in handles))
        leases = [lease for claimed in claims for lease in claimed]
        assert sorted((lease.group_id, lease.generation) for lease in leases) == [
            (group_id, 1) for group_id in range(store.group_count)
        ]

    def test_groups_that_expire_go_to_one_of_two_claimers_each(
        self, clock: ManualClock, store: Storage, second: Storage
    ) -> None:
        """PROTOCOL 3: and no generation is issued twice."""
        given_out = [store.claim(Owner("before"), lease_s=LEASE_S, limit=store.group_count)]
        for _ in range(_ROUNDS):
            clock.advance(LEASE_S)
            claims = [
                partial(through.claim, Owner(name), lease_s=LEASE_S, limit=store.group_count)
                for name, through in (("anna", store), ("boris", second))
            ]
            given_out += at_once(*claims)
        places = [(lease.group_id, lease.generation) for leases in given_out for lease in leases]
        assert sorted(places) == [(g, n) for g in range(store.group_count) for n in range(1, _ROUNDS + 2)]

    def test_a_claim_and_the_commits_of_the_old_owner_exclude_each_other(
        self, clock: ManualClock, store: Storage, second: Storage
    ) -> None:
        """PROTOCOL 3, 10, 11: what the new owner reads after its claim is all that the old one ever writes."""
        store.claim(Owner("landlord"), lease_s=_FOREVER_S, limit=store.group_count - 1)
        for number in range(_ROUNDS):
            check_takeover_under_commits(clock, store, (store, second)[number % 2], number)

    def test_one_request_from_many_threads_is_one_run(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 18."""
        store.push("w", b"{}")

        def start_all(through: Storage, group_id: int) -> list[PendingRun]:
            requests = [StartRequest("w", f"r{number}", group_id) for number in range(_COMMITS)]
            return [through.start([request])[0] for request in requests]

        handles = zip(range(_THREADS), cycle((store, second)), strict=False)
        answers = at_once(*(partial(start_all, through, group_id) for group_id, through in handles))
        for runs in zip(*answers, strict=True):
            assert len({(run.flow_id, run.group_id) for run in runs}) == 1
            assert [run.fresh for run in runs].count(True) == 1

    def test_instances_are_numbered_densely_under_threads(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 18."""
        store.push("w", b"{}")

        def start_some(through: Storage, name: str) -> list[int]:
            """One by one, and several in one call."""
            calls = [[f"{name}-{number}-{part}" for part in range(1 + number % 3)] for number in range(_COMMITS)]
            answers = [through.start([StartRequest("w", request_id, 0) for request_id in call]) for call in calls]
            return [run.instance_id for runs in answers for run in runs]

        handles = zip(range(_THREADS), cycle((store, second)), strict=False)
        answers = at_once(*(partial(start_some, through, f"t{number}") for number, through in handles))
        numbers = [number for answer in answers for number in answer]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))

    def test_definitions_are_numbered_densely_under_threads(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 28: two bodies never share a version."""

        def push_some(through: Storage, name: str) -> list[int]:
            return [through.push("w", f"{name}-{n}".encode()) for n in range(_COMMITS)]

        answers = at_once(partial(push_some, store, "anna"), partial(push_some, second, "boris"))
        assert sorted(answers[0] + answers[1]) == list(range(1, 2 * _COMMITS + 1))

    def test_one_message_from_many_threads_is_one_message(self, node: Node, second: Storage) -> None:
        """PROTOCOL 16."""
        sent = at_once(
            *[partial(through.send, message_to(node.group_id)) for through in (node.store, second)] * _THREADS
        )
        assert len({message.sequence for message in sent}) == 1
        assert len(node.store.receive(node.lease)) == 1

    def test_one_body_from_many_threads_is_one_version(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 6."""
        pushes = [partial(through.push, "w", b"{}") for through in (store, second)] * _THREADS
        assert at_once(*pushes) == [1] * len(pushes)

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

    def test_a_reader_that_follows_the_log_misses_nothing(self, node: Node, second: Storage) -> None:
        """PROTOCOL 7: new records always appear after existing ones."""

        def write() -> None:
            for revision in range(1, _COMMITS + 1):
                node.commit(node.write("w/1/1", revision))

        def read(after: int) -> list[int]:
            return [record.position for record in second.read_log(node.group_id, after=after)]

        assert seen_meanwhile(read, write) == list(range(1, _COMMITS + 1))

    def test_a_receiver_that_follows_by_sequence_misses_nothing(self, node: Node, second: Storage) -> None:
        """PROTOCOL 7, 17: messages of several senders and of the owner's commits always appear after existing ones."""

        def send(through: Storage, name: str) -> None:
            for number in range(_COMMITS):
                through.send(message_to(node.group_id, f"{name}{number}"))

        def commit() -> None:
            for number in range(_COMMITS):
                sends = (message_to(node.group_id, f"c{number}"), message_to(node.group_id, f"d{number}"))
                node.commit(Commit(node.lease, sends=sends))

        def receive(after: int) -> list[int]:
            return [message.sequence for message in node.store.receive(node.lease, after=after)]

        senders = (partial(send, node.store, "a"), partial(send, second, "b"), commit)
        seen = seen_meanwhile(receive, *senders)
        assert len(seen) == len(set(seen)) == 4 * _COMMITS
