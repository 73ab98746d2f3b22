"""From a URL to an open store: look at the server, find the tables or make them."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from maestro_flow.clock import Clock
from maestro_flow.errors import StorageError, StorageUnavailable, StorageUnusable
from maestro_flow.storage.protocol import GROUP_COUNT
from maestro_flow_sql.postgres.connections import Connections, Direct
from maestro_flow_sql.postgres.storage import PostgresStorage
from maestro_flow_sql.postgres.target import Target
from maestro_flow_sql.schema import OLDEST_READER, SCHEMA_VERSION, check_schema, metadata

__all__ = ["open_postgres"]

_OLDEST_POSTGRES = 14
_TIMEOUT_MAX_MS = 5000
"""Half of the engine's default lease."""

_SERVER = """
    SELECT current_setting('server_version_num')::integer / 10000,
           current_setting('server_encoding'),
           pg_is_in_recovery(),
           current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off',
           coalesce(current_schema(), ''),
           (SELECT min(setting::bigint) > 0 AND max(setting::bigint) <= %s FROM pg_settings
            WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'))
"""

# Not to_regclass and to_regnamespace: behind an advisory lock they still answer out of the session's cache.
_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = 'store_meta'"
_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = %s"

_META = "SELECT schema_version, oldest_reader, group_count FROM store_meta"

# Whoever comes first makes the store; the others wait here and find it. Waiting for that is no sign of a frozen owner.
_LOCK = """
    SET LOCAL lock_timeout = '60s';
    SET LOCAL statement_timeout = '60s';
    SELECT pg_advisory_xact_lock(hashtextextended('maestro_flow ' || '{namespace}', 0))
"""

# All clocks are this one: seconds since the epoch, read anew wherever it stands in a statement.
_STORE_TIME = """
    CREATE FUNCTION store_time() RETURNS double precision LANGUAGE sql VOLATILE
    AS 'SELECT extract(epoch FROM clock_timestamp())::double precision'
"""


def open_postgres(url: str, _clock: Clock) -> PostgresStorage:
    """Open the store in a schema of a database, and create it where there is none; times are by the server's clock.

    Raises:
        SettingsError: the URL names no database, or has an option that there is not.
        StorageUnusable: the login is refused, a right is missing, or the server could lose what it has acknowledged.
        SchemaMismatch: the store was written by a newer maestro-flow, which says that we cannot use it.
        StorageUnavailable: the server cannot be reached, or is a replica.
    """
    target = Target.of(url)
    connections = Connections(target)
    try:
        with connections.direct() as db:
            _check_server(db, target)
            group_count = _find_or_make(db, target)
    except BaseException:
        connections.close()
        raise
    return PostgresStorage(connections, group_count)


def _check_server(db: Direct, target: Target) -> None:
    row = db.execute(_SERVER, (_TIMEOUT_MAX_MS,)).fetchone()
    assert row is not None, "a SELECT without FROM has one row"  # noqa: S101
    version, encoding, is_replica, is_durable, schema, has_timeouts = row
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
    if target.behind_pooler and not (has_timeouts and schema in {target.namespace, ""}):
        raise StorageUnusable(
            f"{store} with prepare=off the settings of the role count; set them once: "
            f"ALTER ROLE ... SET search_path = {target.namespace}; ... SET statement_timeout = '5s'; "
            "... SET lock_timeout = '2s'; ... SET idle_in_transaction_session_timeout = '2s'"
        )


def _find_or_make(db: Direct, target: Target) -> int:
    """Number of groups of the store, which exists when this returns, whoever has made it."""
    if not _exists(db, target):
        with db.transaction():
            db.execute(_LOCK.format(namespace=target.namespace))
            if not _exists(db, target):  # nor has another process made it since we looked
                _create(db, target)
    row = db.execute(_META).fetchone()
    if row is None:
        raise StorageError(f"the store {target.name} has lost its first row; restore it from a backup")
    check_schema(target.name, version=row[0], oldest_reader=row[1])
    return int(row[2])


def _exists(db: Direct, target: Target) -> bool:
    return db.execute(_TABLE, (target.namespace,)).fetchone() is not None


def _create(db: Direct, target: Target) -> None:
    """All tables and the first rows, in the transaction of the caller: a store exists as a whole or not at all."""
    if db.execute(_SCHEMA, (target.namespace,)).fetchone() is None:  # who may not create schemas may be given one
        db.execute(f"CREATE SCHEMA {target.namespace}".encode())
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    db.execute(_STORE_TIME)
    for table in metadata.sorted_tables:
        db.execute(str(CreateTable(table).compile(dialect=dialect)).encode())
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            db.execute(str(CreateIndex(index).compile(dialect=dialect)).encode())
    db.execute(
        "INSERT INTO store_meta VALUES (1, %s, %s, %s, store_time())", (SCHEMA_VERSION, OLDEST_READER, GROUP_COUNT)
    )
    db.execute(
        "INSERT INTO leases SELECT number, 0, '', '', 0 FROM generate_series(0, %s - 1) AS number", (GROUP_COUNT,)
    )
