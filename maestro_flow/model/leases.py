"""Leases of groups, live nodes, and what a renewal tells a node (PROTOCOL 2, 3, 13, 14)."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Holder", "Lease", "NodeEntry", "Owner", "Renewal"]


@frozen
class Owner:
    """A process that may hold groups. ``id`` is random per process start (PROTOCOL 3).

    ``process`` lets another process on the same host prove that this one is dead (``maestro_flow.storage.process``);
    empty where that cannot be proved.
    """

    id: str
    process: str = ""


@frozen
class Lease:
    """Proof of ownership: the fence compares (group, generation, owner), never the time."""

    group_id: int
    generation: int
    owner_id: str


@frozen
class Holder:
    """The holder of a group, which may have changed by the time of the answer."""

    group_id: int
    generation: int
    owner_id: str
    process: str
    expires_at: float
    now: float
    """The store's clock, in the same answer: from ``expires_at`` on any node may claim the group."""


@frozen
class NodeEntry:
    """A live node as it advertises itself to the others (PROTOCOL 14, 22)."""

    owner_id: str
    process: str
    offers: frozenset[str]
    """The code that it has: names of step types, and of the functions of Python workflows."""
    groups: int
    """How many groups it holds, by the store's count."""
    expires_at: float
    """By the store's clock; from then on, a node that has not renewed counts as dead."""


@frozen
class Renewal:
    """Answer of the one query a second (PROTOCOL 13): all that a node needs to know about its groups."""

    now: float
    """The store's clock, seconds since the epoch."""
    lost: frozenset[int]
    """Groups among the given leases that the node has lost."""
    claimable: int
    """Groups that could be claimed now."""
    messages: frozenset[int]
    """Held groups with messages that are not settled."""
    pending: frozenset[int]
    """Held groups with starts that are not acknowledged yet."""
    nodes: tuple[NodeEntry, ...] = ()
    """All live nodes, by owner id, including the caller if it has advertised itself."""
