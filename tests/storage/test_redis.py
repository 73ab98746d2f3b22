"""The Redis store: conformance, on a server and on a cluster of one node, with the time in the hands of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from maestro_flow_redis.opening import open_server

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance import Opener, StorageConformance
from tests.servers.redis import Server, find_cluster
from tests.servers.redis_time import ServerAtTime


class TestRedis(StorageConformance):
    @pytest.fixture
    def opener(self, redis_server: Server, namespace: str, clock: ManualClock) -> Opener:
        return lambda name: open_server(ServerAtTime(redis_server.url(f"{namespace}_{name}"), clock))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    (server,) = find_cluster()
    yield server
    server.stop()


class TestRedisCluster(StorageConformance):
    """A script that touches two tags would fail here at once."""

    @pytest.fixture
    def opener(self, cluster: Server, namespace: str, clock: ManualClock) -> Opener:
        return lambda name: open_server(ServerAtTime(cluster.url(f"{namespace}_{name}"), clock))
