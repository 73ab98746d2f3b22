"""The SQLite store: conformance."""

from __future__ import annotations

from pathlib import Path

import pytest
from maestro_flow_sql.sqlite import open_sqlite

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance import Opener, SharedConformance


class TestSqlite(SharedConformance):
    @pytest.fixture
    def opener(self, clock: ManualClock, tmp_path: Path) -> Opener:
        return lambda: open_sqlite(f"sqlite:///{tmp_path}/store.db", clock)
