"""All concerns as one class, to be inherited from."""

from __future__ import annotations

from maestro_flow.storage.conformance.atomicity import Atomicity
from maestro_flow.storage.conformance.catalog import Catalog
from maestro_flow.storage.conformance.commits import Commits
from maestro_flow.storage.conformance.concurrency import Concurrency
from maestro_flow.storage.conformance.durability import Durability
from maestro_flow.storage.conformance.fence import Fence
from maestro_flow.storage.conformance.given import Given
from maestro_flow.storage.conformance.inbox import Inbox
from maestro_flow.storage.conformance.leases import Leases
from maestro_flow.storage.conformance.mail import Mail
from maestro_flow.storage.conformance.positions import Positions
from maestro_flow.storage.conformance.resends import Resends
from maestro_flow.storage.conformance.runs import Runs
from maestro_flow.storage.conformance.schema import Schema
from maestro_flow.storage.conformance.sharing import Sharing
from maestro_flow.storage.conformance.starts import Starts
from maestro_flow.storage.conformance.takeover import Takeover

__all__ = ["DurableConformance", "SharedConformance", "StorageConformance"]


class StorageConformance(
    Leases,
    Fence,
    Commits,
    Resends,
    Atomicity,
    Positions,
    Takeover,
    Inbox,
    Mail,
    Catalog,
    Starts,
    Given,
    Runs,
    Schema,
    Concurrency,
):
    """What every store promises."""


class DurableConformance(StorageConformance, Durability):
    """And what it has answered outlives the process."""


class SharedConformance(DurableConformance, Sharing):
    """And several nodes may have it open."""
