"""Ownership on SQLite: claim, renew, release, and the nodes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import astuple
from msgspec import json

from maestro_flow.model.leases import Lease, NodeEntry, Owner, Renewal
from maestro_flow.storage.judge import no_longer_held
from maestro_flow.storage.process import is_provably_dead
from maestro_flow_sql.sqlite.values import as_json

__all__ = ["advertise", "check_current", "claim", "leave", "release", "renew"]

_CLAIMABLE = """
    (CASE owner_id WHEN '' THEN kept_for IN ('', :owner_id) OR kept_until <= :now
     ELSE expires_at <= :now OR process IN (SELECT value FROM json_each(:dead)) END)
"""

_CLAIM = f"""
    UPDATE leases
    SET generation = generation + 1, owner_id = :owner_id, process = :process, expires_at = :now + :lease_s,
        kept_for = ''
    WHERE group_id IN (SELECT group_id FROM leases WHERE {_CLAIMABLE} ORDER BY group_id LIMIT :limit)
    RETURNING group_id, generation
"""  # noqa: S608 - the condition is ours

_COUNT_CLAIMABLE = f"SELECT count(*) FROM leases WHERE {_CLAIMABLE}"  # noqa: S608 - the condition is ours

_PROCESSES = "SELECT DISTINCT process FROM leases WHERE owner_id <> '' AND process <> '' AND expires_at > ?"

_HELD = """
    (group_id, generation, owner_id) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:leases))
"""

_RENEW = f"""
    UPDATE leases SET expires_at = :now + :lease_s WHERE {_HELD} AND owner_id = :owner_id RETURNING group_id
"""  # noqa: S608 - the condition is ours

_RELEASE = f"""
    UPDATE leases SET owner_id = '', process = '', expires_at = 0, kept_for = :to, kept_until = :keep_until
    WHERE {_HELD} RETURNING group_id
"""  # noqa: S608 - the condition is ours

_MESSAGES = """
    SELECT group_id FROM leases
    WHERE owner_id = ? AND EXISTS (SELECT 1 FROM messages WHERE state = 'waiting' AND group_id = leases.group_id)
"""

_GIVEN = """
    SELECT group_id FROM leases
    WHERE owner_id = ? AND EXISTS (SELECT 1 FROM runs WHERE is_given = 1 AND group_id = leases.group_id)
"""

_ADVERTISE = """
    INSERT INTO nodes VALUES (:owner_id, :process, :offers, :now + :lease_s)
    ON CONFLICT (owner_id) DO UPDATE SET offers = excluded.offers, expires_at = excluded.expires_at
"""

_FORGET = "DELETE FROM nodes WHERE expires_at <= :now OR process IN (SELECT value FROM json_each(:dead))"

_LEAVE = "DELETE FROM nodes WHERE owner_id = ?"

_NODES = """
    SELECT owner_id, process, offers, (SELECT count(*) FROM leases WHERE leases.owner_id = nodes.owner_id), expires_at
    FROM nodes WHERE expires_at > ? ORDER BY owner_id
"""

_CURRENT = "SELECT 1 FROM leases WHERE (group_id, generation, owner_id) = (?, ?, ?)"


def claim(db: sqlite3.Connection, owner: Owner, now: float, lease_s: float, limit: int) -> list[Lease]:
    values = {"owner_id": owner.id, "process": owner.process, "lease_s": lease_s, "limit": limit}
    dead = _dead_processes(db, now)
    claimed = db.execute(_CLAIM, {**values, "now": now, "dead": dead}).fetchall()
    if claimed:
        db.execute(_FORGET, {"now": now, "dead": dead})
    return [Lease(group_id, generation, owner.id) for group_id, generation in sorted(claimed)]


def renew(db: sqlite3.Connection, owner: Owner, leases: Sequence[Lease], now: float, lease_s: float) -> Renewal:
    """Extend the leases that are still ours, by generation and owner, never by time, and look around (PROTOCOL 13)."""
    values = {"owner_id": owner.id, "now": now, "lease_s": lease_s}
    renewed = set()
    if leases:
        renewed = {group_id for (group_id,) in db.execute(_RENEW, {**values, "leases": _as_json(leases)}).fetchall()}
    free = {"owner_id": owner.id, "now": now, "dead": _dead_processes(db, now)}
    (claimable,) = db.execute(_COUNT_CLAIMABLE, free).fetchone()
    return Renewal(
        now=now,
        lost=frozenset(lease.group_id for lease in leases) - renewed,
        claimable=claimable,
        messages=frozenset(group_id for (group_id,) in db.execute(_MESSAGES, (owner.id,))),
        pending=frozenset(group_id for (group_id,) in db.execute(_GIVEN, (owner.id,))),
        nodes=tuple(
            NodeEntry(owner_id, process, frozenset(json.decode(offered, type=list[str])), groups, expires_at)
            for owner_id, process, offered, groups, expires_at in db.execute(_NODES, (now,))
        ),
    )


def advertise(db: sqlite3.Connection, owner: Owner, now: float, lease_s: float, offers: frozenset[str]) -> None:
    """Advertise the node and the code that it offers (PROTOCOL 22)."""
    node = {"owner_id": owner.id, "process": owner.process, "offers": as_json(sorted(offers))}
    db.execute(_ADVERTISE, {**node, "now": now, "lease_s": lease_s})


def release(db: sqlite3.Connection, leases: Sequence[Lease], to: str, keep_until: float) -> list[int]:
    """The groups that were released."""
    values = {"leases": _as_json(leases), "to": to, "keep_until": keep_until}
    return [group_id for (group_id,) in db.execute(_RELEASE, values).fetchall()]


def leave(db: sqlite3.Connection, owner: Owner) -> None:
    db.execute(_LEAVE, (owner.id,))


def check_current(db: sqlite3.Connection, lease: Lease) -> None:
    """Raises OwnershipLost: (group, generation, owner) is not what the store has (PROTOCOL 3)."""
    if db.execute(_CURRENT, astuple(lease)).fetchone() is None:
        raise no_longer_held(lease)


def _dead_processes(db: sqlite3.Connection, now: float) -> str:
    """Dead owners on this host, whose leases need not expire first: nothing of theirs can still run (PROTOCOL 12)."""
    return as_json([process for (process,) in db.execute(_PROCESSES, (now,)) if is_provably_dead(process)])


def _as_json(leases: Sequence[Lease]) -> str:
    return as_json([astuple(lease) for lease in leases])
