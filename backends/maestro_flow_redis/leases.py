"""Ownership on Redis: claim, renew, release; one script for each group, all sent at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from attrs import frozen

from maestro_flow.model.commit import Holder, Lease, Owner, Renewal
from maestro_flow_redis.migrations import check_reader
from maestro_flow_redis.server import Call, Server

__all__ = ["claim", "holder", "release", "renew"]


@frozen
class _Look:
    """What ``renew.lua`` answers of one group."""

    now: float
    is_renewed: bool
    is_free: bool
    is_held: bool
    has_mail: bool


def claim(server: Server, owner: Owner, lease_s: float, limit: int, known: int) -> list[Lease]:
    """Look for groups that are free, and then try for as many as are wanted; others may be faster.

    ``known`` is the schema version that this program knows.

    Raises:
        SchemaMismatch: the store was migrated to a version that excludes us.
    """
    looks, _ = _look_around(server, owner, {}, lease_s)
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


def renew(server: Server, owner: Owner, leases: Sequence[Lease], lease_s: float) -> Renewal:
    """Extend what is still ours, by generation and owner and never by time, and look around (PROTOCOL 13)."""
    ours = {x.group_id: x.generation for x in sorted(leases, key=lambda x: x.generation) if x.owner_id == owner.id}
    looks, given = _look_around(server, owner, ours, lease_s)
    groups = list(enumerate(looks))
    held = frozenset(group_id for group_id, look in groups if look.is_held)
    renewed = {group_id for group_id, look in groups if look.is_renewed}
    return Renewal(
        now=max(look.now for look in looks),
        lost=frozenset(lease.group_id for lease in leases) - renewed,
        claimable=sum(look.is_free for look in looks),
        mail=frozenset(group_id for group_id, look in groups if look.has_mail) & held,
        given=given & held,
    )


def holder(server: Server, group_id: int) -> Holder | None:
    now, generation, owner_id, process, expires_at = server.call("holder", server.group(group_id))
    if not owner_id:
        return None
    return Holder(group_id, int(generation), owner_id.decode(), process.decode(), float(expires_at), float(now))


def release(server: Server, leases: Sequence[Lease]) -> None:
    calls = [
        Call("release", server.group(lease.group_id), (lease.owner_id, lease.generation))
        for lease in leases
        if 0 <= lease.group_id < server.group_count  # a lease of no group is not current
    ]
    server.call_all(calls)


def _look_around(
    server: Server, owner: Owner, generations: Mapping[int, int], lease_s: float
) -> tuple[list[_Look], frozenset[int]]:
    """Every group, renewed where ``generations`` has the owner's; and the groups with runs that are given."""
    calls = [
        Call("renew", server.group(group_id), (owner.id, generations.get(group_id, ""), repr(lease_s)))
        for group_id in range(server.group_count)
    ]
    *replies, given = server.call_all([*calls, Call("given_groups", server.catalog)])
    looks = [_Look(float(now), *map(bool, flags)) for now, *flags in replies]
    return looks, frozenset(given)
