"""Opens a store by its URL: checks the server, finds or creates the tables."""

from __future__ import annotations

from maestro_flow.clock import Clock
from maestro_flow.errors import StorageUnavailable, StorageUnusable
from maestro_flow_sql.migrations import Admission, current
from maestro_flow_sql.postgres.connections import Connections, Direct
from maestro_flow_sql.postgres.hints import PostgresHints
from maestro_flow_sql.postgres.storage import PostgresStorage
from maestro_flow_sql.postgres.tables import find_or_make
from maestro_flow_sql.postgres.target import Target

__all__ = ["open_postgres"]

_OLDEST_POSTGRES = 14
_TIMEOUT_MAX_S = 5.0
"""Half of the engine's default lease."""

_SERVER = """
    SELECT current_setting('server_version_num')::integer / 10000,
           current_setting('server_encoding'),
           pg_is_in_recovery(),
           current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'
"""

# Behind a pooler, a session has the settings of its role. A timeout of 0 means none.
_SESSION = """
    SELECT current_schema(), current_setting('default_transaction_isolation'),
           max(setting::float) / 1000, count(nullif(setting, '0'))
    FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')
"""


def open_postgres(url: str, _clock: Clock, /, *, create: bool = True) -> PostgresStorage:
    """Open the store in a schema of a database; times are by the server's clock.

    It is created if it does not exist, unless ``create`` is false, and migrated if an older maestro-flow made it.

    Raises:
        SettingsError: the URL does not name a database, or has an unknown option.
        StorageUnusable: the store does not exist, the login is refused, a privilege is missing, a migration failed, or
            the server could lose acknowledged writes.
        SchemaMismatch: the store was written by a newer maestro-flow that excludes ours.
        StorageUnavailable: the server cannot be reached, or is a replica.
    """
    target = Target.of(url)
    connections = Connections(target)
    try:
        with connections.direct() as db:
            _check_server(db, target)
            with db.without_timeout():
                group_count = find_or_make(db, target, create=create)
            if target.behind_pooler:
                connections.timeout_s = _timeout_of_role(db, target)
    except BaseException:
        connections.close()
        raise
    hints, admission = PostgresHints(connections, target), Admission(target.name, current().version)
    return PostgresStorage(connections, hints, group_count, admission)


def _check_server(db: Direct, target: Target) -> None:
    row = db.execute(_SERVER).fetchone()
    assert row is not None, "a SELECT without FROM has one row"  # noqa: S101
    version, encoding, is_replica, is_durable = row
    store = f"the store {target.name} cannot be used:"
    if version < _OLDEST_POSTGRES:
        raise StorageUnusable(f"{store} PostgreSQL {_OLDEST_POSTGRES} or newer is needed, this is {version}")
    if encoding != "UTF8":
        raise StorageUnusable(f"{store} the encoding of the database is {encoding}; it must be UTF8")
    if is_replica:
        raise StorageUnavailable(f"{store} the server is a replica; give the URL of the primary")
    if not is_durable and not target.allow_volatile:
        raise StorageUnusable(
            f"{store} with fsync or synchronous_commit off the server may lose what it has acknowledged; "
            "turn them on, or say allow_volatile=true in the URL"
        )


def _timeout_of_role(db: Direct, target: Target) -> float:
    """The longest timeout of a session, in seconds.

    Raises:
        StorageUnusable: the role lacks a setting that every session must have.
    """
    row = db.execute(_SESSION).fetchone()
    assert row is not None, "an aggregate has one row"  # noqa: S101
    schema, isolation, longest_s, timeouts = row
    is_right = schema == target.namespace and isolation == "read committed"
    if not is_right or timeouts < 3 or longest_s > _TIMEOUT_MAX_S:
        raise StorageUnusable(
            f"the store {target.name} cannot be used: with prepare=off the settings of the role apply; set them once: "
            f"ALTER ROLE ... SET search_path = {target.namespace}; ... SET statement_timeout = '5s'; "
            "... SET lock_timeout = '2s'; ... SET idle_in_transaction_session_timeout = '2s'; "
            "default_transaction_isolation stays read committed"
        )
    return float(longest_s)
