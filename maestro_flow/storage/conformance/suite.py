"""All concerns as one class to inherit from."""

from __future__ import annotations

from typing import Any

from maestro_flow.storage.conformance.atomicity import Atomicity
from maestro_flow.storage.conformance.blocking import Blocking
from maestro_flow.storage.conformance.catalog import Catalog
from maestro_flow.storage.conformance.children import Children
from maestro_flow.storage.conformance.commits import Commits
from maestro_flow.storage.conformance.concurrency import Concurrency
from maestro_flow.storage.conformance.cursors import Cursors
from maestro_flow.storage.conformance.dead_letters import DeadLetters
from maestro_flow.storage.conformance.dead_owners import DeadOwners
from maestro_flow.storage.conformance.durability import Durability
from maestro_flow.storage.conformance.fence import Fence
from maestro_flow.storage.conformance.hints import Hints, SharedHints
from maestro_flow.storage.conformance.holders import Holders
from maestro_flow.storage.conformance.inbox import Inbox
from maestro_flow.storage.conformance.leases import Leases
from maestro_flow.storage.conformance.model_equivalence import ModelEquivalence
from maestro_flow.storage.conformance.namespaces import Namespaces
from maestro_flow.storage.conformance.nodes import Nodes
from maestro_flow.storage.conformance.numbers import Numbers
from maestro_flow.storage.conformance.pending_starts import PendingStarts
from maestro_flow.storage.conformance.positions import Positions
from maestro_flow.storage.conformance.pruning import Pruning
from maestro_flow.storage.conformance.races import Races
from maestro_flow.storage.conformance.renewals import Renewals
from maestro_flow.storage.conformance.resends import Resends
from maestro_flow.storage.conformance.restarts import Restarts
from maestro_flow.storage.conformance.runs import Runs
from maestro_flow.storage.conformance.schema import Schema
from maestro_flow.storage.conformance.sharing import Sharing
from maestro_flow.storage.conformance.starts import Starts
from maestro_flow.storage.conformance.takeover import Takeover
from maestro_flow.storage.conformance.texts import Texts
from maestro_flow.storage.conformance.transit import Transit

__all__ = ["StorageConformance"]


class StorageConformance(
    Leases,
    Holders,
    DeadOwners,
    Nodes,
    Hints,
    SharedHints,
    Fence,
    Commits,
    Resends,
    Atomicity,
    Positions,
    Takeover,
    Inbox,
    Renewals,
    Transit,
    DeadLetters,
    Catalog,
    Starts,
    Restarts,
    PendingStarts,
    Runs,
    Children,
    Blocking,
    Cursors,
    Pruning,
    Schema,
    Texts,
    Numbers,
    Namespaces,
    Durability,
    Sharing,
    Concurrency,
    Races,
    ModelEquivalence,
):
    """What a store promises. A store that lacks a capability says so: ``durable = False``, ``shared = False``."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Remove the tests of what the store lacks: pytest does not collect names that are None."""
        super().__init_subclass__(**keywords)
        for concern in cls.__mro__:
            needs = vars(concern).get("needs")
            if needs and not getattr(cls, needs):
                for name in vars(concern):
                    if name.startswith("test_"):
                        setattr(cls, name, None)
