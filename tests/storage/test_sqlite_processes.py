"""Several processes on one SQLite file, and what is left when one of them dies (PROTOCOL 12)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.errors import StorageUnusable
from maestro_flow.model.leases import Owner
from maestro_flow.storage.process import this_process
from tests.storage.processes import GROUPS, LEASE_S, working
from tests.storage.verbs import use_every_verb

Opened = Callable[[], SqliteStorage]

COMMITS_EACH = 100
OPENINGS = 5


def commit_ids(store: SqliteStorage, name: str, groups: set[int]) -> list[list[str]]:
    """Ids of the commits of a worker's flows, whose revisions must have no gap."""
    flows = [store.read_flow(f"{name}/{group_id}/1") for group_id in groups]
    for records in flows:
        assert [record.revision for record in records] == list(range(1, len(records) + 1))
    return [[record.commit_id for record in records] for records in flows]


def test_three_processes_write_one_file_without_an_error_and_without_losing_a_commit(
    path: Path, opened: Opened
) -> None:
    """Each of them fails with a traceback if any verb raises, or if any commit or lease is refused."""
    with working(f"sqlite:///{path}", "ann", "bob", "cy") as workers:
        for worker in workers:
            worker.go()
        acknowledged = [worker.commits(COMMITS_EACH) for worker in workers]
        acknowledged = [ids + worker.stop() for ids, worker in zip(acknowledged, workers, strict=True)]
        assert len(set().union(*(worker.groups for worker in workers))) == 3 * GROUPS
        store = opened()
        for name, worker, ids in zip(("ann", "bob", "cy"), workers, acknowledged, strict=True):
            written = [commit_id for flow in commit_ids(store, name, worker.groups) for commit_id in flow]
            assert sorted(written) == sorted(ids)


def test_no_verb_and_no_opening_finds_the_file_locked_while_others_write(path: Path, opened: Opened) -> None:
    """Each opening begins with the lock of the file, and the last one that closes it would clean up its WAL."""
    with working(f"sqlite:///{path}", "ann", "bob") as workers:
        for worker in workers:
            worker.go()
        for _ in range(OPENINGS):
            use_every_verb(opened())
        for worker in workers:
            assert worker.commits(1)
            worker.stop()


def test_kill_9_of_a_writer_loses_no_commit_that_it_was_told_of(path: Path, opened: Opened) -> None:
    """Another one writes meanwhile, and continues to write afterwards."""
    with working(f"sqlite:///{path}", "ann", "bob") as (victim, survivor):
        victim.go()
        survivor.go()
        acknowledged = victim.commits(COMMITS_EACH) + victim.kill()
        survivor.commits(COMMITS_EACH)
        survivor.stop()
        store = opened()
        flows = commit_ids(store, "ann", victim.groups)
        written = {commit_id for flow in flows for commit_id in flow}
        assert set(acknowledged) <= written
        assert len(written) - len(acknowledged) in (0, GROUPS), "one batch at most was written and not told of"


def test_the_groups_of_a_provably_dead_owner_are_claimed_at_once(path: Path, opened: Opened) -> None:
    """Also while it is a zombie, whose parent has not asked for it; its lease would last for an hour."""
    store, owner = opened(), Owner("o", this_process())
    with working(f"sqlite:///{path}", "ann", "bob") as (victim, survivor):
        left = store.group_count - 2 * GROUPS
        assert store.renew(owner, [], lease_s=LEASE_S).claimable == left
        victim.kill()
        assert store.renew(owner, [], lease_s=LEASE_S).claimable == left + GROUPS
        claimed = {lease.group_id for lease in store.claim(owner, lease_s=LEASE_S, limit=store.group_count)}
        assert victim.groups <= claimed
        assert not survivor.groups & claimed


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_cannot_use_the_store_of_its_parent_but_opens_its_own(opened: Opened) -> None:
    store = opened()
    store.push("w", b"{}")
    child = os.fork()
    if child == 0:  # from here on, nothing may reach pytest
        verdict = 1
        try:
            verdict = _as_a_child(store, opened)
        finally:
            os._exit(verdict)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.push("w", b"[]") == 3


def _as_a_child(store: SqliteStorage, opened: Opened) -> int:
    refusals = 0
    for verb in (lambda: store.push("w", b"[]"), lambda: store.run("w/1/1")):
        try:
            verb()
        except StorageUnusable:
            refusals += 1
    store.close()
    own = opened()
    version = own.push("w", b"[1]")
    own.close()
    return 0 if (refusals, version) == (2, 2) else 1
