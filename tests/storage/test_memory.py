"""The memory store: it keeps every promise but those of outliving its handle and of being shared."""

from __future__ import annotations

from collections import defaultdict

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import SettingsError
from maestro_flow.model.leases import Owner
from maestro_flow.storage.conformance import Opener, StorageConformance
from maestro_flow.storage.memory import MemoryStorage, open_memory


class TestMemory(StorageConformance):
    durable = shared = hints_others = False

    @pytest.fixture
    def opener(self, clock: ManualClock) -> Opener:
        stores: defaultdict[str, MemoryStorage] = defaultdict(lambda: MemoryStorage(clock))
        return stores.__getitem__


def test_every_store_in_memory_is_a_new_one(clock: ManualClock) -> None:
    first, second = open_memory("memory://tests", clock), open_memory("memory://tests", clock)
    first.push("w", b"{}")
    assert second.definition("w") is None


def test_the_number_of_groups_can_be_chosen(clock: ManualClock) -> None:
    assert len(MemoryStorage(clock, groups=3).claim(Owner("o"), lease_s=1, limit=99)) == 3


def test_a_path_is_refused_because_nothing_would_be_in_the_file(clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="memory://"):
        open_memory("memory:///tmp/runs.db", clock)
