"""What the tests of all concerns share: the capabilities of the store under test, its clock, and two nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, TypeAlias

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import Storage

__all__ = ["NAMESPACE", "Concern", "Opener"]

Opener: TypeAlias = Callable[[str], Storage]
"""Opens a namespace (a word such as "tests") in the store of the test; the caller closes it.

A namespace is empty when it is opened for the first time; later calls open the same one again.
"""

NAMESPACE = "tests"
"""The namespace of tests that need only one."""


class Concern:
    """Base of the test classes, one per concern, with the capabilities that a store may have or lack.

    A store must have all of them, unless its test class says which ones it lacks.
    """

    durable: ClassVar[bool] = True
    """What a verb has returned survives the handle and the process."""

    shared: ClassVar[bool] = True
    """Several handles, in one process or in many, may have the store open at once."""

    proves_dead_owners: ClassVar[bool] = False
    """Processes share a host, and the groups of a provably dead one are claimed at once (PROTOCOL 12)."""

    hints_others: ClassVar[bool] = True
    """A listener at one handle hears what is done through another; without this, only a scan finds it."""

    needs: ClassVar[str] = ""
    """The capability without which this concern is not collected."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def opener(self, clock: ManualClock) -> Opener:
        raise NotImplementedError("the backend's test class must define a fixture named opener")

    @pytest.fixture
    def store(self, opener: Opener) -> Iterator[Storage]:
        store = opener(NAMESPACE)
        yield store
        store.close()

    @pytest.fixture
    def second(self, store: Storage, opener: Opener) -> Iterator[Storage]:
        """Another handle on the same store; for a store that cannot be shared, the same handle."""
        if not self.shared:
            yield store
            return
        second = opener(NAMESPACE)
        yield second
        second.close()

    @pytest.fixture
    def node(self, store: Storage) -> Node:
        """A node that holds one group."""
        node = Node(store)
        node.claim()
        return node

    @pytest.fixture
    def rival(self, store: Storage) -> Node:
        """A node that holds nothing yet."""
        return Node(store, "boris")
