"""The target of a storm: a store, the connections of the nodes to it, and the faults of both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers import postgres, redis
from tests.servers.proxy import Proxy

__all__ = ["STORES", "Target", "open_target"]

_NAMESPACE = "t_chaos"
STORES = ("sqlite", "postgres", "redis")


class Target:
    """``url`` is for the harness; ``node_urls`` has one for each replica, through ``proxies`` if there are any."""

    def __init__(
        self,
        url: str,
        node_urls: list[str],
        proxies: list[Proxy] | None = None,
        server: postgres.Server | redis.Server | None = None,
    ) -> None:
        self.url, self.node_urls, self.proxies = url, node_urls, proxies or []
        self._server = server

    @property
    def has_server(self) -> bool:
        return self._server is not None

    def kill_server(self) -> None:
        assert self._server is not None
        self._server.kill()

    def start_server(self) -> None:
        if isinstance(self._server, postgres.Server):
            self._server.restart()
        elif self._server is not None:
            self._server.start()


@contextmanager
def open_target(store: str, replicas: int) -> Iterator[Target]:
    """A new store of a kind, on its own server, removed afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="maestro-chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if store == "sqlite":
            url = f"sqlite:///{folder}/runs.db"
            yield Target(url, [url] * replicas)
        elif store == "postgres":
            server = postgres.find_server(own=True)
            stack.callback(server.stop)
            yield _postgres(server, replicas, folder, stack)
        else:
            own = redis.find_server(own=True)
            stack.callback(own.stop)
            yield _redis(own, replicas, stack)


def _postgres(server: postgres.Server, replicas: int, folder: Path, stack: ExitStack) -> Target:
    assert server.home is not None
    proxies, urls, name = [], [], ".s.PGSQL.5432"
    for replica in range(replicas):
        socket_folder = folder / str(replica)
        socket_folder.mkdir()
        proxies.append(stack.enter_context(Proxy(server.home / name, socket_folder / name)))
        urls.append(server.url(_NAMESPACE, host=str(socket_folder)))
    return Target(server.url(_NAMESPACE), urls, proxies, server)


def _redis(server: redis.Server, replicas: int, stack: ExitStack) -> Target:
    proxies = [stack.enter_context(Proxy(server.port)) for _ in range(replicas)]
    url = server.url(_NAMESPACE)
    urls = [url.replace(f":{server.port}/", f":{proxy.port}/") for proxy in proxies]
    return Target(url, urls, proxies, server)
