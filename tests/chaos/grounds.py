"""Where a storm takes place: a store, the ways of the nodes to it, and what can be done to both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers import postgres, redis
from tests.servers.proxy import Proxy

__all__ = ["STORES", "Ground", "ground"]

_NAMESPACE = "t_chaos"
STORES = ("sqlite", "postgres", "redis")


class Ground:
    """``url`` is the harness's own way; ``node_urls`` have one for each seat, through ``proxies`` if there are any."""

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
def ground(store: str, seats: int) -> Iterator[Ground]:
    """A new store of a kind, on a server of its own, gone afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="maestro-chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if store == "sqlite":
            url = f"sqlite:///{folder}/runs.db"
            yield Ground(url, [url] * seats)
        elif store == "postgres":
            server = postgres.find_server(own=True)
            stack.callback(server.stop)
            yield _postgres(server, seats, folder, stack)
        else:
            own = redis.find_server(own=True)
            stack.callback(own.stop)
            yield _redis(own, seats, stack)


def _postgres(server: postgres.Server, seats: int, folder: Path, stack: ExitStack) -> Ground:
    assert server.home is not None
    proxies, urls, name = [], [], ".s.PGSQL.5432"
    for seat in range(seats):
        place = folder / str(seat)
        place.mkdir()
        proxies.append(stack.enter_context(Proxy(server.home / name, place / name)))
        urls.append(server.url(_NAMESPACE, host=str(place)))
    return Ground(server.url(_NAMESPACE), urls, proxies, server)


def _redis(server: redis.Server, seats: int, stack: ExitStack) -> Ground:
    proxies = [stack.enter_context(Proxy(server.port)) for _ in range(seats)]
    url = server.url(_NAMESPACE)
    urls = [url.replace(f":{server.port}/", f":{proxy.port}/") for proxy in proxies]
    return Ground(url, urls, proxies, server)
