"""A PgBouncer in transaction mode before the PostgreSQL server of the tests, on a socket in a folder of its own.

The binary is that of the machine (no wheel has it): on the path, or where Debian puts it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define

from tests.servers.postgres import TRIES, Server, ServerNotFound, die_with_the_tests, not_as_root

POOL_SIZE = 3
"""Sessions on the server for each role: fewer than the threads of the tests, so that they have to share."""

TIMEOUTS = {"statement_timeout": "2s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "2s"}
"""Half of the shortest lease in the conformance suite, which is 4 s: any more is refused."""

_CONFIG = """
[databases]
postgres = host={server}

[pgbouncer]
listen_addr =
unix_socket_dir = {home}
auth_type = trust
auth_file = {home}/users
admin_users = tests
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
"""


def binary() -> Path:
    """Where PgBouncer is. Where it is not, a person's test is skipped and CI's fails."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        missing = "no pgbouncer on this machine; on Debian: apt-get install pgbouncer"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Path(found)


@define
class Pooler:
    """A running PgBouncer."""

    server: Server
    home: Path

    def url(self, role: str, namespace: str) -> str:
        """The URL of a store, as somebody behind the pooler writes it."""
        return f"postgresql://{role}@/postgres?host={self.home}&port=6432&namespace={namespace}&prepare=off"

    @contextmanager
    def role(self, name: str, settings: Mapping[str, str]) -> Iterator[None]:
        """A role on the server, with settings of its own, that the pooler lets in."""
        with self.server.connect() as connection:
            connection.execute(f"DROP ROLE IF EXISTS {name}".encode())
            connection.execute(f"CREATE ROLE {name} LOGIN SUPERUSER".encode())
            for setting, value in settings.items():
                connection.execute(f"ALTER ROLE {name} SET {setting} = '{value}'".encode())
        with (self.home / "users").open("a") as users:
            users.write(f'"{name}" ""\n')
        self.tell("RELOAD")
        yield
        self.tell("RECONNECT")  # or a test of the same name meets a session with the settings of this one
        with self.server.connect() as connection:
            connection.execute(f"DROP OWNED BY {name} CASCADE".encode())
            connection.execute(f"DROP ROLE {name}".encode())

    def tell(self, command: str) -> list[Any]:
        """Rows that a command of the admin console returns."""
        with (
            psycopg.connect(f"postgresql://tests@/pgbouncer?host={self.home}&port=6432", autocommit=True) as console,
            psycopg.ClientCursor(console) as cursor,
        ):
            cursor.execute(command.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def start(server: Server) -> Iterator[Pooler]:
    """Start one before a server with a folder, and end it."""
    assert server.home is not None
    home = Path(tempfile.mkdtemp(prefix="maestro-bouncer-"))
    prefix, as_user = not_as_root(home)
    (home / "config.ini").write_text(_CONFIG.format(server=server.home, home=home, pool_size=POOL_SIZE))
    (home / "users").write_text('"tests" ""\n')
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            [*prefix, str(binary()), str(home / "config.ini")],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_the_tests,  # noqa: PLW1509 - it is one system call
            **as_user,
        )
    try:
        pooler = Pooler(server, home)
        _wait_for(pooler, process)
        yield pooler
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(home)


def _wait_for(pooler: Pooler, process: subprocess.Popen[bytes]) -> None:
    for _ in range(TRIES):
        try:
            pooler.tell("SHOW VERSION")
        except psycopg.OperationalError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    raise ServerNotFound(f"PgBouncer did not start: {(pooler.home / 'log').read_text()[-800:]}")
