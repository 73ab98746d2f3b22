"""Ownership on Postgres: claim, renew, release, and the nodes; each statement is its own transaction."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from msgspec import json

from maestro_flow.model.leases import Lease, NodeEntry, Owner, Renewal
from maestro_flow_sql.postgres.connections import Direct

__all__ = ["claim", "leave", "release", "renew"]

# One group at a time, because several locks in one claim deadlock with a commit. NO KEY UPDATE does not skip a group
# whose old owner is committing (it holds KEY SHARE): the UPDATE then waits for that commit, because it changes the
# generation, which is a key (PROTOCOL 11). In random order, so that one stuck group does not hold up the others.
_FREE = """
    (CASE owner_id WHEN '' THEN kept_for IN ('', %(owner_id)s) OR kept_until <= store_time()
     ELSE expires_at <= store_time() END)
"""

_CLAIM = """
    WITH free AS MATERIALIZED (
        SELECT group_id FROM leases
        WHERE {free}
          AND (SELECT oldest_reader FROM store_meta) <= %(schema)s
        ORDER BY random()
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE leases
    SET generation = generation + 1, owner_id = %(owner_id)s, process = %(process)s,
        expires_at = store_time() + %(lease_s)s, kept_for = ''
    FROM free
    WHERE leases.group_id = free.group_id
    RETURNING leases.group_id, leases.generation
""".replace("{free}", _FREE)

# The rest of the statement sees renewals and advertisements only through ``renewed`` and ``advertised``: its snapshot
# is older. Nodes that are long gone are also removed; a row that another node is removing is left to it.
_RENEW = """
    WITH renewed AS (
        UPDATE leases
        SET expires_at = store_time() + %(lease_s)s
        FROM unnest(%(group_ids)s::integer[], %(generations)s::bigint[]) AS ours (group_id, generation)
        WHERE (leases.group_id, leases.generation) = (ours.group_id, ours.generation)
          AND leases.owner_id = %(owner_id)s
        RETURNING leases.group_id
    ),
    held AS (SELECT group_id FROM leases WHERE owner_id = %(owner_id)s),
    advertised AS (
        INSERT INTO nodes (owner_id, process, offers, expires_at)
        SELECT %(owner_id)s, %(process)s, %(offers)s, store_time() + %(lease_s)s WHERE %(offers)s::text IS NOT NULL
        ON CONFLICT (owner_id) DO UPDATE SET offers = excluded.offers, expires_at = excluded.expires_at
        RETURNING owner_id, process, offers, expires_at
    ),
    forgotten AS (
        DELETE FROM nodes WHERE owner_id IN (
            SELECT owner_id FROM nodes
            WHERE expires_at < store_time() - 60 AND owner_id <> %(owner_id)s FOR UPDATE SKIP LOCKED)
    ),
    alive AS (
        SELECT owner_id, process, offers, expires_at FROM advertised
        UNION ALL
        SELECT owner_id, process, offers, expires_at FROM nodes
        WHERE expires_at > store_time() AND owner_id NOT IN (SELECT owner_id FROM advertised)
    )
    SELECT
        store_time(),
        ARRAY (SELECT group_id FROM renewed),
        (SELECT count(*) FROM leases
         WHERE {free}
           AND group_id NOT IN (SELECT group_id FROM renewed)),
        ARRAY (SELECT group_id FROM held
               WHERE EXISTS (SELECT FROM messages WHERE state = 'waiting' AND messages.group_id = held.group_id)),
        ARRAY (SELECT group_id FROM held
               WHERE EXISTS (SELECT FROM runs WHERE is_given = 1 AND runs.group_id = held.group_id)),
        (SELECT json_agg(json_build_array(
             owner_id, process, offers, (SELECT count(*) FROM leases WHERE leases.owner_id = alive.owner_id), expires_at
         ) ORDER BY owner_id) FROM alive)
""".replace("{free}", _FREE)

_RELEASE = """
    UPDATE leases
    SET owner_id = '', process = '', expires_at = 0, kept_for = %(to)s, kept_until = store_time() + %(keep_s)s
    FROM unnest(%(group_ids)s::integer[], %(generations)s::bigint[], %(owner_ids)s::text[])
         AS ours (group_id, generation, owner_id)
    WHERE (leases.group_id, leases.generation, leases.owner_id) = (ours.group_id, ours.generation, ours.owner_id)
    RETURNING leases.group_id
"""

_LEAVE = "DELETE FROM nodes WHERE owner_id = %s"

_HELD_UP = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
)
"""The statement had no effect, and the session continues."""


def claim(db: Direct, owner: Owner, lease_s: float, limit: int, schema: int) -> list[Lease]:
    """Claim groups until there are enough, or none is left; fewer if a frozen session holds one for too long.

    ``schema`` is the version that we know: a store that was migrated beyond it may exclude us.
    """
    values = {"owner_id": owner.id, "process": owner.process, "lease_s": lease_s, "schema": schema}
    leases: list[Lease] = []
    while len(leases) < limit:
        try:
            row = db.execute(_CLAIM, values, prepare=True).fetchone()
        except _HELD_UP:
            if not leases:
                raise
            break  # earlier groups are already ours, and an error would hide them from us until they expire
        if row is None:
            break
        group_id, generation = row
        leases.append(Lease(group_id, generation, owner.id))
    return sorted(leases, key=lambda lease: lease.group_id)


def renew(db: Direct, owner: Owner, leases: Sequence[Lease], lease_s: float, offers: frozenset[str] | None) -> Renewal:
    """Extend the leases that are still ours, by generation and owner, never by time, and look around (PROTOCOL 13)."""
    ours = [lease for lease in leases if lease.owner_id == owner.id]
    offered = None if offers is None else json.encode(sorted(offers)).decode()
    values = {"owner_id": owner.id, "process": owner.process, "lease_s": lease_s, "offers": offered, **_columns(ours)}
    row = db.execute(_RENEW, values, prepare=True).fetchone()
    assert row is not None, "a SELECT without FROM has one row"  # noqa: S101
    now, renewed, claimable, messages, pending, nodes = row
    lost = frozenset(lease.group_id for lease in leases) - frozenset(renewed)
    return Renewal(
        now=now,
        lost=lost,
        claimable=claimable,
        messages=frozenset(messages),
        pending=frozenset(pending),
        nodes=tuple(
            NodeEntry(owner_id, process, frozenset(json.decode(offered, type=list[str])), groups, expires_at)
            for owner_id, process, offered, groups, expires_at in nodes or ()
        ),
    )


def release(db: Direct, leases: Sequence[Lease], to: str, keep_s: float) -> list[int]:
    """The groups that were released."""
    owner_ids = [lease.owner_id for lease in leases]
    rows = db.execute(_RELEASE, {**_columns(leases), "owner_ids": owner_ids, "to": to, "keep_s": keep_s})
    return [group_id for (group_id,) in rows]


def leave(db: Direct, owner: Owner) -> None:
    db.execute(_LEAVE, (owner.id,))


def _columns(leases: Sequence[Lease]) -> dict[str, list[int]]:
    return {
        "group_ids": [lease.group_id for lease in leases],
        "generations": [lease.generation for lease in leases],
    }
