"""Owners that are provably dead."""

from __future__ import annotations

import subprocess
import sys

import pytest

from maestro_flow.model.leases import Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import Storage

__all__ = ["DeadOwners"]

_TELL = "from maestro_flow.storage.process import this_process; print(this_process())"


class DeadOwners(Concern):
    """A provably dead owner on this host is replaced at once (PROTOCOL 12); a store may lack this shortcut."""

    needs = "proves_dead_owners"

    @pytest.fixture
    def of_the_dead(self) -> str:
        """The identity of a process that has ended."""
        command = [sys.executable, "-c", _TELL]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - ours

    def test_the_groups_of_a_dead_owner_are_claimed_before_they_expire(
        self, store: Storage, rival: Node, of_the_dead: str
    ) -> None:
        """PROTOCOL 12."""
        (living,) = store.claim(Owner("living", this_process()), lease_s=LEASE_S, limit=1)
        dead = store.claim(Owner("dead", of_the_dead), lease_s=LEASE_S, limit=2)
        assert rival.renew().claimable == store.group_count - 1
        rival.claim(store.group_count)
        generations = {lease.group_id: lease.generation for lease in rival.leases}
        assert living.group_id not in generations
        assert [generations[lease.group_id] for lease in dead] == [2, 2]
