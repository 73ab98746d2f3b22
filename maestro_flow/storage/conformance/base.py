"""What the tests of all concerns share: the store under test, its clock, and two nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import Storage

__all__ = ["Concern", "Opener"]

Opener: TypeAlias = Callable[[], Storage]
"""Opens the store of the test; the caller closes it."""


class Concern:
    """Base of the classes of tests, one per concern."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def opener(self, clock: ManualClock) -> Opener:
        raise NotImplementedError("the backend's test class has a fixture named opener")

    @pytest.fixture
    def store(self, opener: Opener) -> Iterator[Storage]:
        store = opener()
        yield store
        store.close()

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
