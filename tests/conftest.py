"""Options and fixtures that all tests share."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator

import pytest

from maestro_flow.config.configuration import CONFIG_VARIABLE, ENVIRONMENT_PREFIX
from tests.servers import redis as redis_servers
from tests.servers.postgres import Server, find_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write the observed traces into tests/core/cases instead of comparing"
    )
    parser.addoption(
        "--storm-s", type=float, default=4.5, help="how long claims and commits race in a storm, in seconds"
    )


@pytest.fixture(scope="session", autouse=True)
def no_configuration_of_the_surroundings() -> Iterator[None]:
    """The tests, and the processes that they start, see neither variables nor a file that happen to be there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
            patch.delenv(name)
        patch.setenv(CONFIG_VARIABLE, os.devnull)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; the tests keep to schemas of their own."""
    server = find_server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[Server]:
    """A PostgreSQL server that a test may kill, if it starts it again."""
    server = find_server(own=True)
    yield server
    server.stop()


@pytest.fixture
def schema(postgres: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a schema that is not there yet, and will not be there any more; short, so that a test can append."""
    name = "t_" + re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[-28:]
    postgres.drop(name)
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis_servers.Server]:
    """A Redis server; the tests keep to namespaces of their own."""
    server = redis_servers.find_server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def own_redis() -> Iterator[redis_servers.Server]:
    """A Redis server that a test may kill, if it starts it again."""
    server = redis_servers.find_server(own=True)
    yield server
    server.stop()


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that no other test has, on any server, with room for a word more; nothing of it is left."""
    words = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[-16:]
    name = f"t_{words}_{secrets.token_hex(4)}"
    yield name
    if "redis_server" in request.fixturenames:
        server: redis_servers.Server = request.getfixturevalue("redis_server")
        server.drop(name)
