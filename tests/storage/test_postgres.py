"""The PostgreSQL store: conformance, with the time of the server in the hands of the test."""

from __future__ import annotations

import pytest
from maestro_flow_sql.postgres import open_postgres

from maestro_flow.storage.conformance import Opener, SharedConformance
from maestro_flow.storage.protocol import Storage
from tests.servers.postgres import Server
from tests.servers.store_time import ServerClock


class TestPostgres(SharedConformance):
    @pytest.fixture
    def clock(self) -> ServerClock:
        return ServerClock()

    @pytest.fixture
    def opener(self, postgres: Server, schema: str, clock: ServerClock, request: pytest.FixtureRequest) -> Opener:
        def open_it() -> Storage:
            store = open_postgres(postgres.url(schema), clock)
            connection = postgres.connect(schema)
            request.addfinalizer(connection.close)
            clock.stop(connection)
            return store

        return open_it
