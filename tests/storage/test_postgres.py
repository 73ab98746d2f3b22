"""The PostgreSQL store: conformance, with the time of the server in the hands of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from maestro_flow_sql.postgres import open_postgres

from maestro_flow.storage.conformance import Opener, StorageConformance
from maestro_flow.storage.protocol import Storage
from tests.servers.postgres import Server
from tests.servers.store_time import ServerClock


class TestPostgres(StorageConformance):
    @pytest.fixture
    def clock(self, postgres: Server, schema: str) -> Iterator[ServerClock]:
        with postgres.connect(schema) as connection:
            yield ServerClock(connection, schema)

    @pytest.fixture
    def opener(self, postgres: Server, schema: str, clock: ServerClock) -> Iterator[Opener]:
        opened: set[str] = set()

        def open_it(name: str) -> Storage:
            namespace = f"{schema}_{name}"
            store = open_postgres(postgres.url(namespace), clock)
            if namespace not in opened:
                clock.stop(namespace)
                opened.add(namespace)
            return store

        yield open_it
        for namespace in opened:
            postgres.drop(namespace)
