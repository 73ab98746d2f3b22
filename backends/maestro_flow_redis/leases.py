"""Ownership on Redis: claim, renew, release, and the nodes; one script for each group, all sent at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from attrs import frozen
from msgspec import json

from maestro_flow.model.leases import Holder, Lease, NodeEntry, Owner, Renewal
from maestro_flow_redis.migrations import check_reader
from maestro_flow_redis.server import Call, Server

__all__ = ["claim", "holder", "leave", "release", "renew"]


@frozen
class _Look:
    """The reply of ``renew.lua`` for one group."""

    now: float
    is_renewed: bool
    is_free: bool
    has_messages: bool
    owner_id: str


def claim(server: Server, owner: Owner, lease_s: float, limit: int, known: int) -> list[Lease]:
    """Look for free groups, then try to claim as many as wanted; other nodes may be faster.

    ``known`` is the schema version that this program knows.

    Raises:
        SchemaMismatch: the store was migrated to a version that excludes us.
    """
    looks, _, _ = _look_around(server, owner, {}, lease_s, None)
    free = (group_id for group_id, look in enumerate(looks) if look.is_free)
    leases: list[Lease] = []
    while wanted := list(islice(free, max(limit - len(leases), 0))):
        args = (owner.id, repr(lease_s), known, owner.process)
        replies = server.call_all([Call("claim", server.group(group_id), args) for group_id in wanted])
        for group_id, generation in zip(wanted, replies, strict=True):
            if generation is None:
                continue
            if generation < 0:
                version = int(server.call("schema_version", server.catalog))
                check_reader(server.target.name, known, version=version, oldest_reader=-generation)
            leases.append(Lease(group_id, generation, owner.id))
    return leases


def renew(
    server: Server, owner: Owner, leases: Sequence[Lease], lease_s: float, offers: frozenset[str] | None
) -> Renewal:
    """Extend the leases that are still ours, by generation and owner, never by time, and look around (PROTOCOL 13)."""
    ours = {x.group_id: x.generation for x in sorted(leases, key=lambda x: x.generation) if x.owner_id == owner.id}
    looks, pending, nodes = _look_around(server, owner, ours, lease_s, offers)
    groups = list(enumerate(looks))
    held = frozenset(group_id for group_id, look in groups if look.owner_id == owner.id)
    renewed = {group_id for group_id, look in groups if look.is_renewed}
    return Renewal(
        now=max(look.now for look in looks),
        lost=frozenset(lease.group_id for lease in leases) - renewed,
        claimable=sum(look.is_free for look in looks),
        messages=frozenset(group_id for group_id, look in groups if look.has_messages) & held,
        pending=pending & held,
        nodes=nodes,
    )


def holder(server: Server, group_id: int) -> Holder | None:
    now, generation, owner_id, process, expires_at = server.call("holder", server.group(group_id))
    if not owner_id:
        return None
    return Holder(group_id, int(generation), owner_id.decode(), process.decode(), float(expires_at), float(now))


def release(server: Server, leases: Sequence[Lease], to: str, keep_s: float) -> list[int]:
    """The groups that were released."""
    there = [
        lease for lease in leases if 0 <= lease.group_id < server.group_count
    ]  # a lease of a group that does not exist is not current
    args = [(lease.owner_id, lease.generation, to, repr(keep_s)) for lease in there]
    calls = [Call("release", server.group(lease.group_id), arg) for lease, arg in zip(there, args, strict=True)]
    return [lease.group_id for lease, is_given_up in zip(there, server.call_all(calls), strict=True) if is_given_up]


def leave(server: Server, owner: Owner) -> None:
    server.call("leave", server.catalog, owner.id)


def _look_around(
    server: Server, owner: Owner, generations: Mapping[int, int], lease_s: float, offers: frozenset[str] | None
) -> tuple[list[_Look], frozenset[int], tuple[NodeEntry, ...]]:
    """All groups, renewed if ``generations`` has their lease; the groups with pending starts; the nodes."""
    calls = [
        Call("renew", server.group(group_id), (owner.id, generations.get(group_id, ""), repr(lease_s)))
        for group_id in range(server.group_count)
    ]
    offered = b"" if offers is None else json.encode(sorted(offers))
    node = Call("look_around", server.catalog, (owner.id, repr(lease_s), owner.process, offered))
    *replies, (pending, there) = server.call_all([*calls, node])
    looks = [
        _Look(float(now), bool(is_renewed), bool(is_free), bool(has_messages), owner_id.decode())
        for now, is_renewed, is_free, has_messages, owner_id in replies
    ]
    held = Counter(look.owner_id for look in looks)
    nodes = [_node(fields, held) for fields in sorted(there)]
    return looks, frozenset(pending), tuple(nodes)


def _node(fields: Sequence[bytes], held: Mapping[str, int]) -> NodeEntry:
    owner_id, process, offered, expires_at = fields
    offers = frozenset(json.decode(offered, type=list[str]))
    return NodeEntry(owner_id.decode(), process.decode(), offers, held[owner_id.decode()], float(expires_at))
